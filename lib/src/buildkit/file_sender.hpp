#pragma once

// The sending side of a file transfer, as a value: what the other side says goes in, what there is to say
// comes out. It tells of all files first, and opens only those that are asked for.
//
// Source: tonistiigi/fsutil, send.go, filter.go; moby/buildkit, session/filesync.

#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "archive/disk.hpp"
#include "archive/file_tree.hpp"
#include "archive/packing_rules.hpp"
#include "buildkit/packet.hpp"
#include "buildkit/sent_files.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::buildkit {

// A tree that may be sent.
struct file_source {
  file_source() = default;

  archive::tree_plan plan;
  archive::packing_rules rules;
  const archive::disk* files = &archive::local_disk();
};

// Which part of a tree is wanted: patterns as in an ignore file.
struct file_request {
  file_request() = default;

  std::vector<std::string> include;  // nothing else; empty: all
  std::vector<std::string> exclude;  // in the place of the tree's own rules
  bool only_excludes = false;        // the tree's own rules do not count, even if `exclude` is empty
  std::vector<std::string> follow;   // as `include`, with the symbolic links on the way
};

// Messages, one after the other in a buffer that is used again.
class message_batch {
 public:
  void clear() {
    bytes.clear();
    ends.clear();
  }
  std::size_t size() const noexcept { return ends.size(); }
  std::string_view operator[](std::size_t index) const {
    return std::string_view(bytes).substr(ends[index].first, ends[index].second);
  }
  // The bytes since `start` are a message.
  void close(std::size_t start) { ends.emplace_back(start, bytes.size() - start); }

  std::string bytes;
  std::vector<std::pair<std::size_t, std::size_t>> ends;  // where each begins, and its length
};

class file_sender final : private archive::tree_observer {
 public:
  // What a call of fill() left behind: more to send, nothing until the other side asks, or the end.
  enum class state : std::uint8_t { more, idle, over };

  file_sender(std::shared_ptr<const file_source> from, file_request wanted);

  // Appends what there is to send, about 256 KiB at most. Blocks: it walks the tree and reads files. For one
  // thread at a time.
  //
  // Errors: errc::unreadable_file and errc::file_changed, with the path and the reason;
  // errc::invalid_pattern; operation_aborted after stop(). There is nothing more to be sent then, but a
  // message that says so.
  result<state> fill(message_batch& batch, diagnostics& why);

  // A message of the other side. May be called while fill() runs.
  // Errors: errc::malformed_message; errc::operation_failed when it reports an error, with its words.
  error_code take(std::string_view message, diagnostics& why);

  // May be called while fill() runs, which then returns soon.
  void stop() noexcept { stopped_ = true; }

  // May be asked while fill() runs: files told of, and bytes of their content.
  packing_progress sent() const noexcept;
  std::vector<std::string> take_warnings();

 private:
  enum class stage : std::uint8_t { start, listing, content, over };

  void ignored(std::string_view, const archive::ignore_rule&, bool) override {}
  void skipped(std::string_view path, std::string_view reason) override;
  void warn(std::string text);

  error_code start(diagnostics& why);
  error_code add_stat(message_batch& batch, diagnostics& why);
  error_code open_next(diagnostics& why);
  error_code open_file(std::uint32_t id, diagnostics& why);
  error_code add_data(message_batch& batch, diagnostics& why);
  error_code changed(std::string_view how, diagnostics& why) const;
  bool take_request();

  std::shared_ptr<const file_source> from_;
  file_request wanted_;
  archive::tree_plan plan_;
  std::optional<archive::tree_walk> walk_;
  archive::tree_entry entry_;
  stage stage_ = stage::start;
  bool dispute_told_ = false;
  sent_files list_;
  std::vector<std::pair<std::uint32_t, const std::string*>> texts_;  // of files that are not on the disk

  // The file that is sent now.
  bool sending_ = false;
  std::uint32_t id_ = 0;
  std::uint64_t left_ = 0;
  std::unique_ptr<archive::disk_file> file_;
  const std::string* text_ = nullptr;
  // The directory that it lies in, since files are asked for in about the order of the list.
  std::uint32_t directory_id_ = sent_files::none;
  std::unique_ptr<archive::disk_directory> directory_;

  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> entries_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<std::uint32_t> requests_;
  bool fin_ = false;
  std::vector<std::string> warnings_;
  std::size_t warned_ = 0;
};

}  // namespace dockline::buildkit
