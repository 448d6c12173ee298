#pragma once

// A build context: a directory, less what its ignore file names, plus a Dockerfile from anywhere, as the tar
// that a Docker daemon takes as the body of POST /build.

#include "dockline/core/async.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/export.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::archive {

// Whose reading of the rules decides which directories are looked into for exceptions ("!").
enum class ignore_mode {
  // The docker CLI's classic builder: an ignored directory is entered only for an exception that spells the
  // directory out. Ignored parents of kept files get no entry.
  classic,
  // BuildKit's: an exception with a wildcard is looked for everywhere. Ignored parents of kept files are
  // sent.
  buildkit
};

// What the bytes of a context are packed with.
enum class compression {
  none,  // the tar itself
  gzip   // RFC 1952; blocks are compressed at the same time
};

// Where the Dockerfile comes from. By default it is looked for in the context: Dockerfile, else dockerfile.
class DOCKLINE_API dockerfile_source {
 public:
  // Which of the ways below it is.
  enum class kind {
    in_context,  // looked for in the context
    path,        // from_path()
    text,        // from_text()
    alone        // alone()
  };

  dockerfile_source() = default;

  // A file inside or outside the context. A relative path starts at context_options::working_directory.
  static dockerfile_source from_path(std::string path) { return {kind::path, std::move(path)}; }
  // The Dockerfile itself, from memory or a standard input that was read.
  static dockerfile_source from_text(std::string text) { return {kind::text, std::move(text)}; }
  // The Dockerfile itself, and no directory: the context holds nothing else, context_options::directory is
  // not looked at.
  static dockerfile_source alone(std::string text) { return {kind::alone, std::move(text)}; }

  // Which of the ways it is.
  kind where() const noexcept { return where_; }
  // The path or the text; empty for a Dockerfile that is looked for in the context.
  const std::string& value() const noexcept { return value_; }

 private:
  dockerfile_source(kind where, std::string value) : where_(where), value_(std::move(value)) {}

  kind where_ = kind::in_context;
  std::string value_;
};

// A file of the context that is not on the disk.
struct extra_file {
  extra_file() = default;

  // In the context's directory itself: no '/', neither ".dockerignore" nor the Dockerfile's name.
  std::string name;
  std::string text;           // what is in it
  std::uint32_t mode = 0644;  // unless there is a file of that name, whose mode it keeps
};

// What goes into a build context, and how it is packed.
struct context_options {
  context_options() = default;

  // The directory to build from. A relative one starts at working_directory. Symbolic links on the way to it
  // are followed, those inside are sent as links.
  std::string directory;

  // Where the Dockerfile comes from.
  dockerfile_source dockerfile;

  // Sent as well, whatever the ignore file says; in the place of what has that name there. The Dockerfile
  // is not looked for among them.
  std::vector<extra_file> extra_files;

  // Where relative paths start. Empty: the working directory of the process.
  std::string working_directory;

  // How the ignore file is read. BuildKit's way unless a daemon's classic builder has to see what docker
  // sends.
  ignore_mode mode = ignore_mode::buildkit;

  // Whether the tar is compressed. Worth it on a network; over a Unix socket copying is cheaper.
  compression compress = compression::none;

  // Of gzip, 1 (fast) to 9 (small).
  int compression_level = 1;

  // Equal content gives equal bytes on every machine: all times are source_date_epoch, modes are 0755 for
  // directories and executable files and 0644 for others, set-id bits of files kept.
  bool reproducible = false;

  // Seconds since 1970 for every file when `reproducible`. Empty: 0.
  std::optional<std::int64_t> source_date_epoch;

  // Sends the numbers of the owner and the group. Otherwise all belongs to 0, as docker has it.
  bool keep_ownership = false;

  // Where the disk is read and bytes are compressed, so that the caller's event loop never waits for either.
  // Empty: a small pool of threads that the context owns, and joins when its last copy is gone.
  boost::asio::any_io_executor work;
};

// A context that was found and understood: its directory, its rules, its Dockerfile. The tree itself is
// walked by each packing anew, so that a request can be sent again. A copy shares the state.
class DOCKLINE_API build_context {
 public:
  // Empty, for a later assignment; pack() and the operations need one that was opened.
  build_context() noexcept;
  build_context(const build_context&) noexcept;
  build_context(build_context&&) noexcept;
  build_context& operator=(const build_context&) noexcept;
  build_context& operator=(build_context&&) noexcept;
  ~build_context();

  // The Dockerfile's path in the tar: what POST /build takes as `dockerfile`. A Dockerfile from elsewhere has
  // a made-up name that starts with ".dockerfile.".
  const std::string& dockerfile_name() const noexcept;
  // What it says: for images_of_dockerfile().
  const std::string& dockerfile_text() const noexcept;

  // The file that the rules were read from: its path in the context, or an absolute path beside a Dockerfile
  // that lies outside. Empty when there is none.
  const std::string& ignore_file() const noexcept;

  // How its ignore file is read.
  ignore_mode mode() const noexcept;

  // The context's directory: absolute, without symbolic links. Empty for a Dockerfile alone.
  const std::string& directory() const noexcept;

  // The same context with its ignore file read in the other way, for a builder that turns out to be another
  // one than was thought.
  build_context with_mode(ignore_mode mode) const;

  // A packing from the start: the bytes of the tar or tar.gz. Several may be read at the same time.
  //
  // Its errors: errc::unreadable_file, errc::file_changed; the words have the path and the reason. A
  // cancelled read completes at once with operation_aborted. The source must not outlive the executor in
  // context_options::work. Handlers are taken to run where the context was opened until
  // byte_source::reads_complete_on() is called.
  std::unique_ptr<byte_source> pack() const;
  // The same for content that was named by async_content_hash(), and may have changed since: the end of the
  // bytes is then errc::file_changed.
  std::unique_ptr<byte_source> pack(std::string content_hash) const;

  struct state;
  // What async_open_context() makes.
  explicit build_context(std::shared_ptr<const state> shared) noexcept;
  // What the operations of this folder are compiled against.
  const std::shared_ptr<const state>& shared() const noexcept { return state_; }

 private:
  std::shared_ptr<const state> state_;
};

// The compiled half of async_open_context.
DOCKLINE_API void start_open_context(boost::asio::any_io_executor executor, context_options options,
                                     diagnostics* why, completion_handler<build_context> handler);

// Finds the directory, the Dockerfile and the ignore file, and reads the latter two.
//
// Completion: with the context. Never before this function returns.
// Signature: void(error_code, build_context), on the token's associated executor, by default `executor`.
// Lifetimes: `why` stays until completion, the options are copied.
// Cancellation: any type; what is being read is waited for, also a Dockerfile that is a pipe in which nobody
// writes. Nothing was changed.
// Errors: errc::no_such_directory, errc::no_dockerfile, errc::invalid_pattern (`why` has the file, line and
// pattern), errc::unreadable_file, errc::invalid_argument.
// Source: docker CLI, build contexts and .dockerignore; moby/patternmatcher.
// Example: docs/guide/first-build.md.
template <class Token = default_token>
auto async_open_context(boost::asio::any_io_executor executor, context_options options, diagnostics& why,
                        Token&& token = Token()) {
  return initiate<build_context>(&start_open_context, std::forward<Token>(token), &why, std::move(executor),
                                 std::move(options));
}

// The same; with the default token a failure is thrown with its words.
template <class Token = default_token>
auto async_open_context(boost::asio::any_io_executor executor, context_options options,
                        Token&& token = Token()) {
  return initiate<build_context>(&start_open_context, std::forward<Token>(token), nullptr,
                                 std::move(executor), std::move(options));
}

}  // namespace dockline::archive
