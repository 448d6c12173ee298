#include "archive/disk.hpp"
#include "core/descriptor.hpp"
#include "core/last_error.hpp"

#include <boost/asio/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace dockline::archive {
namespace {

file_kind kind_of(mode_t mode) noexcept {
  if (S_ISREG(mode)) return file_kind::regular;
  if (S_ISDIR(mode)) return file_kind::directory;
  if (S_ISLNK(mode)) return file_kind::symlink;
  if (S_ISFIFO(mode)) return file_kind::fifo;
  if (S_ISSOCK(mode)) return file_kind::socket;
  if (S_ISCHR(mode)) return file_kind::character_device;
  if (S_ISBLK(mode)) return file_kind::block_device;
  return file_kind::unknown;
}

file_kind kind_of_listing(unsigned char type) noexcept {
  switch (type) {
    case DT_REG: return file_kind::regular;
    case DT_DIR: return file_kind::directory;
    case DT_LNK: return file_kind::symlink;
    case DT_FIFO: return file_kind::fifo;
    case DT_SOCK: return file_kind::socket;
    case DT_CHR: return file_kind::character_device;
    case DT_BLK: return file_kind::block_device;
  }
  return file_kind::unknown;
}

file_attributes attributes_of(const struct stat& status) noexcept {
  file_attributes attributes;
  attributes.kind = kind_of(status.st_mode);
  attributes.mode = status.st_mode & 07777u;
  attributes.uid = status.st_uid;
  attributes.gid = status.st_gid;
  attributes.size = attributes.kind == file_kind::regular ? static_cast<std::uint64_t>(status.st_size) : 0;
  attributes.mtime = status.st_mtim.tv_sec;
  attributes.mtime_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  attributes.device = status.st_dev;
  attributes.inode = status.st_ino;
  attributes.links = status.st_nlink;
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    attributes.major = major(status.st_rdev);
    attributes.minor = minor(status.st_rdev);
  }
  return attributes;
}

result<file_attributes> look_at(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return last_error();
  return attributes_of(status);
}

// Calls `read` with a block that is large enough for what it gives. A file system without attributes has none
// to give.
template <class Read>
result<std::string> read_attribute(Read read) {
  std::string value(256, '\0');
  for (;;) {
    const ssize_t count = read(value.data(), value.size());
    if (count >= 0) {
      value.resize(static_cast<std::size_t>(count));
      return value;
    }
    if (errno == ENOTSUP || errno == ENOSYS) return std::string();
    // The kernel's own limit is 64 KiB.
    if (errno != ERANGE || value.size() > 64 * 1024) return last_error();
    value.resize(value.size() * 4);
  }
}

class local_file final : public disk_file {
 public:
  explicit local_file(descriptor fd) noexcept : fd_(std::move(fd)) {}

  result<file_attributes> look() override { return look_at(fd_.get()); }

  result<std::size_t> read(std::span<char> block) override {
    for (;;) {
      const ssize_t count = ::read(fd_.get(), block.data(), block.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return last_error();
    }
  }

  result<std::string> capability() override {
    std::array<char, 64> value{};  // a capability has at most 24 bytes
    const ssize_t count = ::fgetxattr(fd_.get(), "security.capability", value.data(), value.size());
    if (count >= 0) return std::string(value.data(), static_cast<std::size_t>(count));
    // A file system without attributes has no capabilities either.
    if (errno == ENODATA || errno == ENOTSUP || errno == ENOSYS) return std::string();
    return last_error();
  }

 private:
  descriptor fd_;
};

class local_directory final : public disk_directory {
 public:
  explicit local_directory(descriptor fd) noexcept : fd_(std::move(fd)) {}

  result<file_attributes> look() override { return look_at(fd_.get()); }

  error_code list(directory_names& names, const std::atomic<bool>* stopped) override {
    // A descriptor of its own, since closedir() takes it along.
    const int own = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return last_error();
    const auto close = [](DIR* opened) { ::closedir(opened); };
    const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(own), close);
    if (!stream) {
      const error_code code = last_error();
      ::close(own);
      return code;
    }
    for (;;) {
      if (stopped != nullptr && *stopped) return error_code(boost::asio::error::operation_aborted);
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.add(name, kind_of_listing(entry->d_type));
    }
    if (errno != 0) return last_error();
    return names.sort(stopped) ? error_code() : error_code(boost::asio::error::operation_aborted);
  }

  result<file_attributes> look(std::string_view name) override {
    struct stat status {};
    if (::fstatat(fd_.get(), name.data(), &status, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
    return attributes_of(status);
  }

  result<std::string> read_link(std::string_view name) override {
    std::string target(256, '\0');
    for (;;) {
      const ssize_t count = ::readlinkat(fd_.get(), name.data(), target.data(), target.size());
      if (count < 0) return last_error();
      if (static_cast<std::size_t>(count) < target.size()) {
        target.resize(static_cast<std::size_t>(count));
        return target;
      }
      target.resize(target.size() * 2);
    }
  }

  result<extended_attributes> read_extended(std::string_view name) override {
    // By way of /proc, since the calls take either a path or an open file, and what is a FIFO or a device is
    // better not opened.
    const std::string path = "/proc/self/fd/" + std::to_string(fd_.get()) + '/' + std::string(name);
    auto names =
        read_attribute([&](char* to, std::size_t size) { return ::llistxattr(path.c_str(), to, size); });
    if (!names) {
      if (names.error().value() != ENOENT) return names.error();
      // Either the file is gone, or there is no /proc.
      const auto there = look(name);
      return there ? result<extended_attributes>(extended_attributes()) : there.error();
    }
    extended_attributes all;
    for (std::size_t at = 0; at < names->size();) {
      const std::string key(names->c_str() + at);
      at += key.size() + 1;
      auto value = read_attribute(
          [&](char* to, std::size_t size) { return ::lgetxattr(path.c_str(), key.c_str(), to, size); });
      // Some may be listed and not read, and one may go between the two calls.
      if (value) all.emplace_back(key, std::move(*value));
    }
    return all;
  }

  result<std::unique_ptr<disk_file>> open_file(std::string_view name) override {
    // O_NONBLOCK: should the name have become a FIFO since it was looked at, opening it must not wait.
    const int fd =
        ::openat(fd_.get(), name.data(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return last_error();
    return std::unique_ptr<disk_file>(std::make_unique<local_file>(descriptor(fd)));
  }

  result<std::unique_ptr<disk_directory>> open_directory(std::string_view name) override {
    const int fd = ::openat(fd_.get(), name.data(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return last_error();
    return std::unique_ptr<disk_directory>(std::make_unique<local_directory>(descriptor(fd)));
  }

 private:
  descriptor fd_;
};

class local_disk_access final : public disk {
 public:
  result<std::unique_ptr<disk_directory>> open_root(const std::string& path) const override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return last_error();
    return std::unique_ptr<disk_directory>(std::make_unique<local_directory>(descriptor(fd)));
  }
};

}  // namespace

const disk& local_disk() noexcept {
  static const local_disk_access instance;
  return instance;
}

}  // namespace dockline::archive
