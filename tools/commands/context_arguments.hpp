#pragma once

#include <dockline/archive/build_context.hpp>

#include "command.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace dockline::tool {

// Awaiting with it gives the code as a value.
inline constexpr auto no_throw = boost::asio::as_tuple(boost::asio::use_awaitable);

// What `build` and `context` take alike: the directory, and how it becomes a context.
struct context_arguments {
  context_arguments() = default;

  std::string path = ".";
  std::string file;
  std::string compression;
  int compression_level = 1;
  bool reproducible = false;
};

// `compressions` are the values that --compression takes, the first one being what holds without it.
void declare_context(CLI::App& command, context_arguments& arguments,
                     const std::vector<std::string>& compressions);

// Finds the context, with the Dockerfile from standard input if it was asked for. Empty when that failed and
// was said; `status` is then the one to leave with.
boost::asio::awaitable<std::optional<archive::build_context>> open_context(
    boost::asio::any_io_executor executor, context_arguments arguments, archive::ignore_mode mode,
    console& terminal, int& status);

// Appends to `start` until it has `size` bytes or the input ends.
boost::asio::awaitable<error_code> read_start(byte_source& input, std::size_t size, std::string& start,
                                              diagnostics& why);

// Appends all of the input to `text`. Errors: errc::message_too_long for what is no Dockerfile any more.
boost::asio::awaitable<error_code> read_dockerfile(byte_source& input, std::string& text, diagnostics& why);

// As report(), for what was found before anything was sent.
int report_unsent(console& terminal, error_code code, const diagnostics& why);

}  // namespace dockline::tool
