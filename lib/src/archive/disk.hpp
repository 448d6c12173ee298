#pragma once

// What the walk needs of a file system. An interface, so that a test can make a file shrink, vanish or refuse
// to be read at the moment it wants. Everything is asked relative to an open directory and nothing follows a
// symbolic link, so that a tree that changes under the walk cannot lead it out of the root.

#include "dockline/core/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::archive {

enum class file_kind : std::uint8_t {
  regular,
  directory,
  symlink,
  fifo,
  socket,
  character_device,
  block_device,
  unknown  // a directory listing does not always tell
};

struct file_attributes {
  file_kind kind = file_kind::unknown;
  std::uint32_t mode = 0;  // permission, set-id and sticky bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;  // whole seconds, rounded down
  std::uint32_t mtime_nanoseconds = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 1;
  std::uint32_t major = 0;  // of a device file
  std::uint32_t minor = 0;
};

// The names in one directory. All of them in one string, since a directory may hold a million.
class directory_names {
 public:
  void add(std::string_view name, file_kind kind);
  // By bytes. False when `stopped`, which may be null, became true before the end: the order is then any.
  bool sort(const std::atomic<bool>* stopped);
  void clear();

  std::size_t size() const noexcept { return starts_.size(); }
  // Followed by a NUL.
  std::string_view name(std::size_t index) const noexcept;
  file_kind kind(std::size_t index) const noexcept;

 private:
  std::string text_;  // of each: kind, name, NUL
  std::vector<std::uint32_t> starts_;
};

// A name and its value, for each extended attribute of a file.
using extended_attributes = std::vector<std::pair<std::string, std::string>>;

class disk_file {
 public:
  virtual ~disk_file() = default;
  virtual result<file_attributes> look() = 0;
  // At most block.size() bytes from where the last read ended; 0 at the end. Fewer than asked for means that
  // the end was reached.
  virtual result<std::size_t> read(std::span<char> block) = 0;
  // The attribute security.capability as it is stored; empty when there is none.
  virtual result<std::string> capability() = 0;
};

class disk_directory {
 public:
  virtual ~disk_directory() = default;
  virtual result<file_attributes> look() = 0;
  // Sorted. A directory may hold a million names, so `stopped`, which may be null, is looked at on the way;
  // then operation_aborted.
  virtual error_code list(directory_names& names, const std::atomic<bool>* stopped) = 0;
  // `name` is followed by a NUL in each of these.
  virtual result<file_attributes> look(std::string_view name) = 0;
  virtual result<std::string> read_link(std::string_view name) = 0;
  // All attributes of the file that this user may read, without opening it; empty where the file system has
  // none.
  virtual result<extended_attributes> read_extended(std::string_view name) = 0;
  virtual result<std::unique_ptr<disk_file>> open_file(std::string_view name) = 0;
  virtual result<std::unique_ptr<disk_directory>> open_directory(std::string_view name) = 0;
};

class disk {
 public:
  virtual ~disk() = default;
  virtual result<std::unique_ptr<disk_directory>> open_root(const std::string& path) const = 0;
};

// The file system of this machine.
const disk& local_disk() noexcept;

}  // namespace dockline::archive
