#pragma once

#include <dockline/core/byte_source.hpp>

#include "commands/context_arguments.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace dockline::tool {

// What `build` builds from.
struct build_source {
  build_source() = default;

  // One of the three.
  std::optional<archive::build_context> context;
  std::shared_ptr<byte_source> body;  // an archive that is passed on
  std::string remote;
  std::string dockerfile;  // in the archive or at the address; empty: as the daemon looks for it
  // The Dockerfile itself, where it is known before the daemon reads it.
  std::string dockerfile_text;
};

// Finds what PATH names: a directory; "-", an archive on standard input that is passed on as it is, or a
// Dockerfile that needs no context; a Git or HTTP URL. Empty when that failed and was said; `status` is then
// the one to leave with.
boost::asio::awaitable<std::optional<build_source>> open_build_source(boost::asio::any_io_executor executor,
                                                                      context_arguments arguments,
                                                                      archive::ignore_mode mode,
                                                                      console& terminal, int& status);

}  // namespace dockline::tool
