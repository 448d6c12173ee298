#pragma once

#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "archive/content_digest.hpp"
#include "archive/file_tree.hpp"
#include "archive/packing_rules.hpp"
#include "archive/tar.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::archive {

// Writes the entries of a tree as a tar, as much at a time as there is room for. Reads the disk straight into
// the caller's block. Used by one thread at a time; only stop(), packed() and take_warnings() may be called
// beside.
class tar_packer final : private tree_observer {
 public:
  // The plan and the disk outlive the packer.
  tar_packer(const tree_plan& plan, const packing_rules& rules, const disk& files);

  // Before the first fill(): makes a SHA-256 of the tar. Unless `expected` is empty, a tar that turns out to
  // be another one is errc::file_changed instead of its end.
  void hash_content(std::string expected);
  // 64 hexadecimal digits, once the tar was filled to its end.
  const std::string& content_hash() const noexcept { return content_hash_; }

  // Fills `block` from its start; fewer bytes than its size only at the end of the tar. Errors: those of
  // tree_walk, and operation_aborted after stop().
  result<std::size_t> fill(std::span<char> block);

  // Makes a fill() that runs, and each later one, return soon. It looks up between files and between reads.
  void stop() noexcept { stopped_ = true; }

  const diagnostics& why() const noexcept { return why_; }
  packing_progress packed() const noexcept;
  std::vector<std::string> take_warnings();

 private:
  enum class stage : std::uint8_t { next_entry, header, text, file, padding, trailer, done };

  void ignored(std::string_view, const ignore_rule&, bool) override {}
  void skipped(std::string_view path, std::string_view reason) override;

  result<std::size_t> fill_some(std::span<char> block);
  error_code end_hash();
  error_code next_entry();
  void make_header();
  std::size_t put(std::span<char> block, std::string_view from);
  std::size_t put_zeros(std::span<char> block);
  result<std::size_t> put_file(std::span<char> block);
  error_code check_end_of_file();
  error_code changed(const char* how);
  void warn(std::string text);

  const tree_plan* plan_;
  packing_rules rules_;
  tree_walk walk_;
  tree_entry entry_;
  diagnostics why_;
  std::string header_;
  std::optional<content_digest> digest_;
  std::string expected_hash_;
  std::string content_hash_;
  stage stage_ = stage::next_entry;
  std::uint64_t left_ = 0;  // of what the stage writes
  bool end_seen_ = false;   // the file's end was met while its last bytes were read
  bool dispute_told_ = false;
  std::atomic<bool> stopped_ = false;
  std::atomic<std::uint64_t> entries_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::mutex warnings_mutex_;
  std::vector<std::string> warnings_;
  std::size_t warned_ = 0;
};

}  // namespace dockline::archive
