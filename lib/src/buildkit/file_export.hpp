#pragma once

// A result of a build that comes to this side: moby.filesync.v1.FileSend, for one build.
//
// Source: moby/buildkit, session/filesync/filesync.go.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "grpc/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dockline::buildkit {

// Where the bytes of an archive go. Used where blocking is allowed, by one thread at a time.
class archive_writer {
 public:
  virtual ~archive_writer() = default;
  // Errors: errc::cannot_write, with words.
  virtual error_code write(std::string_view bytes, diagnostics& why) = 0;
  // The archive is whole.
  virtual error_code finish(diagnostics& why) = 0;
};

// Writes to a file that appears under its name when it is whole; what is no regular file is written as it is.
// Errors: errc::cannot_write.
result<std::unique_ptr<archive_writer>> open_archive(const std::string& path, diagnostics& why);

// Hands the bytes to a function of the caller's.
std::unique_ptr<archive_writer> make_archive_writer(std::function<error_code(std::string_view)> write);

// Everything but the threads of `work` happens on the session's executor.
struct received_export {
  received_export() = default;

  // One of these: a directory for the files of the result; a writer for an archive; or that it is only listened to.
  std::string directory;
  std::shared_ptr<archive_writer> archive;
  bool unwanted = false;

  boost::asio::any_io_executor work;
  std::shared_ptr<void> keep;
  std::function<void(std::string text)> on_warning;

  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  bool complete = false;
  // Why it failed on this side: what the daemon says of it is second hand.
  error_code failure;
  diagnostics failure_words;
};

void offer_export(grpc::service& to, std::shared_ptr<received_export> into);

}  // namespace dockline::buildkit
