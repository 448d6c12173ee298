#include "buildkit/file_receiver.hpp"

#include "archive/clean_path.hpp"
#include "buildkit/remove_entry.hpp"
#include "core/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace dockline::buildkit {
namespace {

// How many files are on their way at once.
constexpr std::size_t most_open = 8;
// What is kept of the list until all of it is written: a tree has fewer names than this has bytes.
constexpr std::uint64_t most_path_bytes = std::uint64_t{512} << 20;
constexpr std::size_t most_warnings = 100;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

mode_t mode_of(std::uint32_t go) {
  mode_t mode = go & go_mode::permissions;
  if ((go & go_mode::set_user_id) != 0) mode |= S_ISUID;
  if ((go & go_mode::set_group_id) != 0) mode |= S_ISGID;
  if ((go & go_mode::sticky) != 0) mode |= S_ISVTX;
  return mode;
}

timespec time_of(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  std::int64_t whole = nanoseconds / second;
  std::int64_t rest = nanoseconds % second;
  if (rest < 0) {
    rest += second;
    --whole;
  }
  timespec time{};
  time.tv_sec = whole;
  time.tv_nsec = rest;
  return time;
}

// Opens a directory below `root` name by name, none of which may be a link.
descriptor open_below(int root, const std::string& path) {
  descriptor at(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t start = 0; at && start < path.size();) {
    const std::size_t slash = std::min(path.find('/', start), path.size());
    const std::string name = path.substr(start, slash - start);
    at = descriptor(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    start = slash + 1;
  }
  return at;
}

// Whatever the file system can keep of them.
void set_attributes(int fd, const file_stat& stat) {
  for (const auto& [name, value] : stat.attributes)
    (void)::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0);
}

}  // namespace

struct file_receiver::open_file {
  file_stat stat;
  descriptor folder;
  descriptor fd;
  std::string temporary;

  ~open_file() {
    if (!temporary.empty()) ::unlinkat(folder.get(), temporary.c_str(), 0);
  }
};

file_receiver::file_receiver(std::string directory) : directory_(std::move(directory)) {}

file_receiver::~file_receiver() {
  open_.clear();
  if (root_ >= 0) ::close(root_);
}

error_code file_receiver::refuse(const std::string& path, std::string_view what, diagnostics& why) const {
  why.set_client_message("the result of the build holds \"" + path + "\": " + std::string(what));
  return errc::malformed_message;
}

error_code file_receiver::fail(const std::string& path, int number, diagnostics& why) const {
  why.set_client_message(directory_ + (path.empty() ? "" : "/" + path) + ": " +
                         std::generic_category().message(number));
  return errc::cannot_write;
}

error_code file_receiver::open(diagnostics& why) {
  std::error_code failed;
  std::filesystem::create_directories(directory_, failed);
  // A directory that is there is none that was made; opening it tells of all else.
  root_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root_ < 0) return fail({}, failed ? failed.value() : errno, why);
  if (::faccessat(root_, ".", W_OK, AT_EACCESS) != 0) return fail({}, errno, why);
  return {};
}

result<file_receiver::state> file_receiver::take(std::string_view message, message_batch& answers,
                                                 diagnostics& why) {
  packet read;
  if (!read_packet(message, read)) return make_error_code(errc::malformed_message);
  error_code code;
  switch (read.type) {
    case packet_type::stat:
      if (listed_) return refuse(read.stat.path, "it comes after the end of the list", why);
      if (read.has_stat)
        code = take_stat(std::move(read.stat), why);
      else
        listed_ = true;
      break;
    case packet_type::data: code = take_data(read.id, read.data, why); break;
    case packet_type::error:
      why.set_server_message(std::string(read.data));
      return make_error_code(errc::operation_failed);
    case packet_type::fin:
      if (!fin_sent_) return make_error_code(errc::malformed_message);
      return state::over;
    case packet_type::request: return make_error_code(errc::malformed_message);
  }
  if (!code) code = go_on(answers, why);
  if (code) return code;
  return state::more;
}

// fsutil sends a directory before what lies in it, and the names in it sorted.
error_code file_receiver::check_order(const file_stat& stat, diagnostics& why) {
  const std::string& path = stat.path;
  if (path.empty() || path.front() == '/' || path == "." || archive::clean_path(path) != path ||
      path == ".." || path.starts_with("../") || path.find('\0') != std::string::npos)
    return refuse(path, "it is no path within a directory", why);
  const std::string folder = parent_of(path);
  const std::string name = name_of(path);
  if (order_.empty()) order_.emplace_back();
  while (order_.back().first != folder) {
    order_.pop_back();
    if (order_.empty()) return refuse(path, "it lies in no directory of the result", why);
  }
  if (name <= order_.back().second) return refuse(path, "it comes out of order", why);
  order_.back().second = name;
  if ((stat.mode & go_mode::directory) != 0) order_.emplace_back(path, std::string());
  return {};
}

error_code file_receiver::take_stat(file_stat stat, diagnostics& why) {
  if (const error_code code = check_order(stat, why)) return code;
  names_ += stat.path.size() + stat.link.size() + sizeof(file_stat);
  if (names_ > most_path_bytes || next_id_ == 0xFFFFFFFF)
    return refuse(stat.path, "there are more files than can be received", why);
  const std::uint32_t id = next_id_++;
  const std::uint32_t type = stat.mode & go_mode::type;
  if (type != 0) return make(stat, why);
  if (!stat.link.empty()) {
    if (regular_.find(stat.link) == regular_.end())
      return refuse(stat.path, "it is a link to a file that was not sent: \"" + stat.link + "\"", why);
    links_.push_back(std::move(stat));
    return {};
  }
  regular_.emplace(stat.path, true);
  waiting_file next;
  next.id = id;
  next.stat = std::move(stat);
  waiting_.push_back(std::move(next));
  return {};
}

// What has no content.
error_code file_receiver::make(const file_stat& stat, diagnostics& why) {
  const descriptor folder = open_below(root_, parent_of(stat.path));
  if (!folder) return fail(stat.path, errno, why);
  const std::string name = name_of(stat.path);
  if ((stat.mode & go_mode::directory) != 0) {
    struct stat there {};
    const bool known = ::fstatat(folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
    if (known && !S_ISDIR(there.st_mode) && ::unlinkat(folder.get(), name.c_str(), 0) != 0)
      return fail(stat.path, errno, why);
    // Open for us until all is in it.
    if (!(known && S_ISDIR(there.st_mode)) && ::mkdirat(folder.get(), name.c_str(), 0700) != 0)
      return fail(stat.path, errno, why);
    directories_.emplace_back(stat.path, stat);
    ++made_;
    return {};
  }
  if ((stat.mode & (go_mode::device | go_mode::character_device | go_mode::socket | go_mode::irregular)) !=
      0) {
    if (warnings_.size() < most_warnings) warnings_.push_back(stat.path + " was skipped: it is a device");
    return {};
  }
  if (!remove_entry(folder.get(), name.c_str())) return fail(stat.path, errno, why);
  const bool link = (stat.mode & go_mode::symlink) != 0;
  const int made = link ? ::symlinkat(stat.link.c_str(), folder.get(), name.c_str())
                        : ::mkfifoat(folder.get(), name.c_str(), mode_of(stat.mode));
  if (made != 0) return fail(stat.path, errno, why);
  const timespec times[2] = {time_of(stat.modified), time_of(stat.modified)};
  (void)::utimensat(folder.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW);
  ++made_;
  return {};
}

error_code file_receiver::go_on(message_batch& answers, diagnostics& why) {
  while (open_.size() < most_open && asked_ < waiting_.size()) {
    waiting_file& next = waiting_[asked_++];
    const std::uint32_t id = next.id;
    if (const error_code code = begin_file(next, why)) return code;
    const std::size_t begin = answers.bytes.size();
    append_request(answers.bytes, id);
    answers.close(begin);
  }
  if (!listed_ || fin_sent_ || !open_.empty() || asked_ < waiting_.size()) return {};
  if (const error_code code = make_links(why)) return code;
  if (const error_code code = set_directory_times(why)) return code;
  fin_sent_ = true;
  const std::size_t begin = answers.bytes.size();
  append_fin(answers.bytes);
  answers.close(begin);
  return {};
}

error_code file_receiver::begin_file(waiting_file& next, diagnostics& why) {
  auto file = std::make_unique<open_file>();
  file->stat = std::move(next.stat);
  file->folder = open_below(root_, parent_of(file->stat.path));
  if (!file->folder) return fail(file->stat.path, errno, why);
  for (unsigned attempt = 0; !file->fd; ++attempt) {
    const std::string name = ".dockline." + std::to_string(::getpid()) + '.' + std::to_string(next.id) + '.' +
                             std::to_string(attempt);
    file->fd = descriptor(::openat(file->folder.get(), name.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file->fd) {
      file->temporary = name;
    } else if (errno != EEXIST || attempt == 100) {
      return fail(file->stat.path, errno, why);
    }
  }
  open_.emplace(next.id, std::move(file));
  return {};
}

error_code file_receiver::take_data(std::uint32_t id, std::string_view data, diagnostics& why) {
  const auto found = open_.find(id);
  if (found == open_.end()) {
    why.set_client_message("the daemon sent the content of a file that was not asked for");
    return errc::malformed_message;
  }
  open_file& file = *found->second;
  if (data.empty()) {
    if (const error_code code = finish_file(file, why)) return code;
    open_.erase(found);
    return {};
  }
  while (!data.empty()) {
    const ssize_t count = ::write(file.fd.get(), data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(file.stat.path, errno, why);
    data.remove_prefix(static_cast<std::size_t>(count));
    bytes_ += static_cast<std::uint64_t>(count);
  }
  return {};
}

error_code file_receiver::finish_file(open_file& file, diagnostics& why) {
  set_attributes(file.fd.get(), file.stat);
  if (::fchmod(file.fd.get(), mode_of(file.stat.mode)) != 0) return fail(file.stat.path, errno, why);
  const timespec times[2] = {time_of(file.stat.modified), time_of(file.stat.modified)};
  (void)::futimens(file.fd.get(), times);
  const std::string name = name_of(file.stat.path);
  const auto put_in_place = [&] {
    return ::renameat(file.folder.get(), file.temporary.c_str(), file.folder.get(), name.c_str()) == 0;
  };
  if (!put_in_place()) {
    // A directory gives way to a file only when the file is whole.
    if (errno != EISDIR) return fail(file.stat.path, errno, why);
    if (!remove_entry(file.folder.get(), name.c_str()) || !put_in_place())
      return fail(file.stat.path, errno, why);
  }
  file.temporary.clear();
  ++made_;
  return {};
}

error_code file_receiver::make_links(diagnostics& why) {
  for (const file_stat& stat : links_) {
    const descriptor from = open_below(root_, parent_of(stat.link));
    if (!from) return fail(stat.link, errno, why);
    const descriptor to = open_below(root_, parent_of(stat.path));
    if (!to) return fail(stat.path, errno, why);
    const std::string name = name_of(stat.path);
    if (!remove_entry(to.get(), name.c_str())) return fail(stat.path, errno, why);
    if (::linkat(from.get(), name_of(stat.link).c_str(), to.get(), name.c_str(), 0) != 0)
      return fail(stat.path, errno, why);
    ++made_;
  }
  return {};
}

// The innermost first: what is made in a directory changes its time.
error_code file_receiver::set_directory_times(diagnostics& why) {
  for (auto one = directories_.rbegin(); one != directories_.rend(); ++one) {
    const descriptor fd = open_below(root_, one->first);
    if (!fd) return fail(one->first, errno, why);
    set_attributes(fd.get(), one->second);
    const timespec times[2] = {time_of(one->second.modified), time_of(one->second.modified)};
    (void)::futimens(fd.get(), times);
    if (::fchmod(fd.get(), mode_of(one->second.mode)) != 0) return fail(one->first, errno, why);
  }
  return {};
}

std::vector<std::string> file_receiver::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace dockline::buildkit
