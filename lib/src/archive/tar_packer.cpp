#include "archive/tar_packer.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dockline::archive {
namespace {

// How much is read from the disk before somebody may ask to stop.
constexpr std::size_t read_limit = 256 * 1024;

// A tree full of sockets shall not fill the memory with warnings.
constexpr std::size_t warning_limit = 100;

bool same_time(const file_attributes& a, const file_attributes& b) noexcept {
  return a.mtime == b.mtime && a.mtime_nanoseconds == b.mtime_nanoseconds;
}

tar_type tar_type_of(const tree_entry& entry) noexcept {
  if (entry.hard_link) return tar_type::hard_link;
  switch (entry.attributes.kind) {
    case file_kind::directory: return tar_type::directory;
    case file_kind::symlink: return tar_type::symlink;
    case file_kind::fifo: return tar_type::fifo;
    case file_kind::character_device: return tar_type::character_device;
    case file_kind::block_device: return tar_type::block_device;
    case file_kind::regular:
    case file_kind::socket:
    case file_kind::unknown: break;
  }
  return tar_type::regular;
}

}  // namespace

tar_packer::tar_packer(const tree_plan& plan, const packing_rules& rules, const disk& files)
    : plan_(&plan), rules_(rules), walk_(plan, files, this, &stopped_) {}

void tar_packer::hash_content(std::string expected) {
  digest_.emplace();
  expected_hash_ = std::move(expected);
}

result<std::size_t> tar_packer::fill(std::span<char> block) {
  const auto filled = fill_some(block);
  if (!filled || !digest_) return filled;
  digest_->add(block.first(*filled));
  if (*filled < block.size()) {
    if (const error_code code = end_hash()) return code;
  }
  return filled;
}

error_code tar_packer::end_hash() {
  content_hash_ = digest_->finish();
  digest_.reset();
  if (expected_hash_.empty() || expected_hash_ == content_hash_) return {};
  why_.set_client_message("the directory changed while it was sent");
  return errc::file_changed;
}

result<std::size_t> tar_packer::fill_some(std::span<char> block) {
  std::size_t filled = 0;
  while (filled < block.size() && stage_ != stage::done) {
    if (stopped_) return error_code(boost::asio::error::operation_aborted);
    const std::span<char> room = block.subspan(filled);
    switch (stage_) {
      case stage::next_entry:
        if (const error_code code = next_entry()) return code;
        break;
      case stage::header:
        filled += put(room, header_);
        if (left_ == 0) {
          left_ = entry_.attributes.size;
          end_seen_ = false;
          stage_ = entry_.text ? stage::text : walk_.content() ? stage::file : stage::next_entry;
        }
        break;
      case stage::text:
        filled += put(room, *entry_.text);
        if (left_ == 0) stage_ = stage::padding;
        break;
      case stage::file: {
        const auto count = put_file(room);
        if (!count) return count.error();
        filled += *count;
        break;
      }
      case stage::padding:
        filled += put_zeros(room);
        if (left_ == 0) stage_ = stage::next_entry;
        break;
      case stage::trailer:
        filled += put_zeros(room);
        if (left_ == 0) stage_ = stage::done;
        break;
      case stage::done: break;
    }
    if (left_ == 0 && stage_ == stage::padding) left_ = tar_padding(entry_.attributes.size);
  }
  bytes_ += filled;
  return filled;
}

error_code tar_packer::next_entry() {
  const auto step = walk_.next(entry_, why_);
  if (!step) return step.error();
  if (!dispute_told_ && !walk_.disputed().empty()) {
    dispute_told_ = true;
    const bool classic = plan_->mode == ignore_mode::classic;
    warn(plan_->ignore_file + ": " + walk_.disputed() +
         (classic ? " is not sent, but with BuildKit's reading of the exceptions it would be"
                  : " is sent, but with the classic builder's reading of the exceptions it would not be"));
  }
  if (*step == found::nothing) {
    left_ = tar_trailer;
    stage_ = stage::trailer;
    return {};
  }
  ++entries_;
  make_header();
  left_ = header_.size();
  stage_ = stage::header;
  return {};
}

void tar_packer::make_header() {
  const file_attributes& attributes = entry_.attributes;
  if (attributes.kind == file_kind::directory) entry_.path += '/';
  tar_header header;
  header.type = tar_type_of(entry_);
  header.name = entry_.path;
  header.link = entry_.link;
  header.mode = rules_.mode_of(attributes);
  if (rules_.keep_ownership) {
    header.uid = attributes.uid;
    header.gid = attributes.gid;
  }
  header.size = header.type == tar_type::regular ? attributes.size : 0;
  header.mtime = rules_.fixed_time.value_or(attributes.mtime);
  header.major = attributes.major;
  header.minor = attributes.minor;
  header.capability = entry_.capability;
  header_.clear();
  append_tar_header(header_, header);
}

// The next bytes of `from`, of which left_ are not written yet.
std::size_t tar_packer::put(std::span<char> block, std::string_view from) {
  const std::string_view rest = from.substr(from.size() - static_cast<std::size_t>(left_));
  const std::size_t count = std::min(block.size(), rest.size());
  std::memcpy(block.data(), rest.data(), count);
  left_ -= count;
  return count;
}

std::size_t tar_packer::put_zeros(std::span<char> block) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), left_));
  std::memset(block.data(), 0, count);
  left_ -= count;
  return count;
}

result<std::size_t> tar_packer::put_file(std::span<char> block) {
  if (left_ == 0) {
    if (const error_code code = check_end_of_file()) return code;
    walk_.close_content();
    stage_ = stage::padding;
    return std::size_t{0};
  }
  // One byte more than is left, where there is room: that the read stops short of it shows that the file did
  // not grow, without asking again.
  const auto wanted = static_cast<std::size_t>(
      std::min<std::uint64_t>({block.size(), read_limit, left_ < read_limit ? left_ + 1 : left_}));
  const auto count = walk_.content()->read(block.first(wanted));
  if (!count) {
    why_.set_client_message(entry_.path + ": " + count.error().message());
    return make_error_code(errc::unreadable_file);
  }
  if (*count > left_) return changed("grew");
  if (*count == 0) return changed("shrank");
  left_ -= *count;
  end_seen_ = left_ == 0 && *count < wanted;
  return *count;
}

error_code tar_packer::check_end_of_file() {
  // Written over in place, it is neither what it was nor what it is now.
  const auto now = walk_.content()->look();
  if (!now) {
    why_.set_client_message(entry_.path + ": " + now.error().message());
    return errc::unreadable_file;
  }
  if (now->size == entry_.attributes.size && !same_time(*now, entry_.attributes)) return changed("changed");
  if (end_seen_) return {};
  char more = 0;
  const auto count = walk_.content()->read({&more, 1});
  if (!count) {
    why_.set_client_message(entry_.path + ": " + count.error().message());
    return errc::unreadable_file;
  }
  return *count == 0 ? error_code() : changed("grew");
}

error_code tar_packer::changed(const char* how) {
  why_.set_client_message(entry_.path + ": " + how + " while it was packed");
  return errc::file_changed;
}

packing_progress tar_packer::packed() const noexcept {
  packing_progress progress;
  progress.entries = entries_;
  progress.bytes = bytes_;
  return progress;
}

void tar_packer::skipped(std::string_view path, std::string_view reason) {
  if (++warned_ < warning_limit) {
    warn(std::string(path) + " was skipped: " + std::string(reason));
  } else if (warned_ == warning_limit) {
    warn("more files were skipped; only the first are named");
  }
}

void tar_packer::warn(std::string text) {
  const std::lock_guard lock(warnings_mutex_);
  warnings_.push_back(std::move(text));
}

std::vector<std::string> tar_packer::take_warnings() {
  const std::lock_guard lock(warnings_mutex_);
  return std::exchange(warnings_, {});
}

}  // namespace dockline::archive
