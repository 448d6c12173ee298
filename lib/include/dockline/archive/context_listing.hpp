#pragma once

// What a build context would send, and why not the rest: the same walk as a packing's, without the contents.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::archive {

// What an entry of a context is.
enum class entry_type : std::uint8_t {
  file,       // with a content
  directory,  // its entries follow
  symlink,    // sent as it is, wherever it points to
  hardlink,   // another name of a file that was sent before
  fifo,       // a named pipe
  device      // a character or block device
};

// "file", "directory", …
DOCKLINE_API const char* name_of(entry_type type) noexcept;

// A path that is sent.
struct context_entry {
  std::string path;                    // from the context's directory, without a final slash
  entry_type type = entry_type::file;  // what it is
  std::uint32_t mode = 0;              // permission, set-id and sticky bits
  std::uint64_t size = 0;              // of a file's content; 0 for all else
  std::string link;                    // what a symbolic or hard link points to
};

// A line of an ignore file.
struct ignore_origin {
  std::string file;     // the ignore file's path
  int line = 0;         // from 1
  std::string pattern;  // as it is written there
};

// A path that the ignore file drops.
struct ignored_path {
  std::string path;              // from the context's directory, without a final slash
  bool whole_directory = false;  // dropped with all that is in it, without a look inside
  std::size_t rule = 0;          // an index into context_listing::rules
};

// A path that is dropped for what it is: a socket.
struct skipped_path {
  std::string path;    // from the context's directory
  std::string reason;  // for people
};

// What a context would send, and what it would not, with the reason.
struct context_listing {
  context_listing() = default;

  std::vector<context_entry> entries;  // in the order in which they are sent
  std::vector<ignored_path> ignored;   // as they were met
  std::vector<skipped_path> skipped;   // a warning event of the build names each
  std::vector<ignore_origin> rules;    // those of the ignore file, in its order
  std::uint64_t bytes = 0;             // of all files' contents
  // A path that only one of classic's and BuildKit's reading of the rules keeps, when there is one.
  std::optional<std::string> disputed;
};

// The listing as one JSON object, without a line end: `mode`, `dockerfile`, `ignore_file`; `entries` in
// sending order (`path`, `type`, `size`, `mode` as four octal digits, `link`); `ignored` (`path`, with a
// final '/' for a directory that was dropped whole, and `rule`: `file`, `line`, `pattern`); `skipped`
// (`path`, `reason`); `totals` (`entries`, `bytes`, `ignored`). A name that is not UTF-8 has U+FFFD in the
// place of its bytes, and `path_base64` beside it.
DOCKLINE_API std::string to_json(const build_context& context, const context_listing& listing);
// The same text in parts of some kilobytes, which `out` is called with: for a tree of a million files there is
// no need to hold it.
DOCKLINE_API void to_json(const build_context& context, const context_listing& listing,
                          const std::function<void(std::string_view part)>& out);

// The compiled half of async_list_context.
DOCKLINE_API void start_list_context(boost::asio::any_io_executor executor, build_context context,
                                     diagnostics* why, completion_handler<context_listing> handler);

// Walks the context and lists it. Files are not read, but opened, so that one which could not be sent is
// found.
//
// Completion: with the whole list; about 100 bytes of memory a path. Never before this function returns.
// Signature: void(error_code, context_listing), on the token's associated executor, by default `executor`.
// Lifetimes: `why` stays until completion, the context is shared.
// Cancellation: any type; the walk stops at its next entry.
// Errors: errc::unreadable_file, errc::file_changed.
// Source: as async_open_context.
// Example: tools/commands/context.cpp.
template <class Token = default_token>
auto async_list_context(boost::asio::any_io_executor executor, build_context context, diagnostics& why,
                        Token&& token = Token()) {
  return initiate<context_listing>(&start_list_context, std::forward<Token>(token), &why, std::move(executor),
                                   std::move(context));
}

// The same; with the default token a failure is thrown with its words.
template <class Token = default_token>
auto async_list_context(boost::asio::any_io_executor executor, build_context context,
                        Token&& token = Token()) {
  return initiate<context_listing>(&start_list_context, std::forward<Token>(token), nullptr,
                                   std::move(executor), std::move(context));
}

}  // namespace dockline::archive
