#pragma once

// What the daemon may read of this side's files: moby.filesync.v1.FileSync, for one build.
//
// Source: moby/buildkit, session/filesync/filesync.go.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "buildkit/file_sender.hpp"
#include "grpc/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// Everything but the threads of `work` happens on the session's executor.
struct synced_files {
  synced_files() = default;

  // By the name that the daemon asks for: "context", "dockerfile".
  std::map<std::string, std::shared_ptr<const file_source>, std::less<>> directories;
  // Where the disk is read.
  boost::asio::any_io_executor work;
  std::shared_ptr<void> keep;  // what `work` needs

  // How far the sending of the context has come; `bytes_sent` is all that was sent for it. May be empty.
  std::function<void(const packing_progress& sent, std::uint64_t bytes_sent, bool complete)> on_progress;
  std::function<void(std::string text)> on_warning;

  // Why a transfer failed on this side, the first time: what the daemon then says of it is second hand.
  error_code failure;
  diagnostics failure_words;
};

// The two directories of a build: the tree, with its rules, and the Dockerfile with its ignore file, which
// are always in memory.
std::shared_ptr<synced_files> files_of(const archive::build_context& context);

// What the Dockerfile is called in the directory "dockerfile".
std::string dockerfile_name_of(const archive::build_context& context);

// Adds the method; `files` is kept.
void offer_files(grpc::service& to, std::shared_ptr<synced_files> files);

// What a call's metadata ask for.
file_request read_file_request(const grpc::metadata& metadata);

}  // namespace dockline::buildkit
