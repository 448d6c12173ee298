#include "buildkit/file_sender.hpp"

#include "buildkit/follow_paths.hpp"
#include "core/encoding.hpp"
#include "core/sha256.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace dockline::buildkit {
namespace {

using archive::file_kind;

// What one call of fill() makes, more or less, and how much of that is the list while there is one: contents
// that are asked for meanwhile shall not wait for its end.
constexpr std::size_t batch_limit = 256 * 1024;
constexpr std::size_t list_limit = 64 * 1024;
// Of the content of a file in one message. A gRPC peer takes at least 4 MiB.
constexpr std::size_t piece_limit = 128 * 1024;
// Enough for what precedes the content in a message.
constexpr std::size_t head_room = 16;

// A tree full of sockets shall not fill the memory with warnings.
constexpr std::size_t warning_limit = 100;

constexpr std::int64_t nanoseconds = 1'000'000'000;

std::uint32_t mode_of(file_kind kind, std::uint32_t mode) noexcept {
  std::uint32_t bits = mode & go_mode::permissions;
  if ((mode & 04000) != 0) bits |= go_mode::set_user_id;
  if ((mode & 02000) != 0) bits |= go_mode::set_group_id;
  if ((mode & 01000) != 0) bits |= go_mode::sticky;
  switch (kind) {
    case file_kind::directory: return bits | go_mode::directory;
    case file_kind::symlink: return bits | go_mode::symlink;
    case file_kind::fifo: return bits | go_mode::named_pipe;
    case file_kind::character_device: return bits | go_mode::device | go_mode::character_device;
    case file_kind::block_device: return bits | go_mode::device;
    case file_kind::regular:
    case file_kind::socket:
    case file_kind::unknown: break;
  }
  return bits;
}

// As the protocol has it, which ends in 1677 and in 2262. A time beyond is that of the end.
std::int64_t in_nanoseconds(std::int64_t seconds, std::int64_t fraction) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / nanoseconds - 1;
  return std::clamp(seconds, -most, most) * nanoseconds + fraction;
}

std::int64_t time_of(const archive::file_attributes& attributes) noexcept {
  return in_nanoseconds(attributes.mtime, attributes.mtime_nanoseconds);
}

bool is_change(error_code code) {
  return code == boost::system::errc::no_such_file_or_directory ||
         code == boost::system::errc::not_a_directory ||
         code == boost::system::errc::too_many_symbolic_link_levels ||
         code == boost::system::errc::no_such_device_or_address;
}

error_code explain(const std::string& path, error_code code, diagnostics& why) {
  if (is_change(code)) {
    const bool gone = code == boost::system::errc::no_such_file_or_directory;
    why.set_client_message(path + (gone ? ": vanished" : ": was replaced") + " while the context was sent");
    return errc::file_changed;
  }
  why.set_client_message(path + ": " + code.message());
  return errc::unreadable_file;
}

// Below a second, and another one for another text.
std::int64_t fraction_of(std::string_view text) {
  const std::string hash = sha256(text);
  std::uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof number);
  return static_cast<std::int64_t>(number % static_cast<std::uint64_t>(nanoseconds));
}

// The daemon does not ask for a file of the time and the size of the one that it has. A text from memory may
// be another one in the same second.
std::int64_t time_of(const archive::packing_rules& rules, const archive::tree_entry& entry) {
  if (rules.fixed_time) return in_nanoseconds(*rules.fixed_time, 0);
  if (entry.text == nullptr) return time_of(entry.attributes);
  return in_nanoseconds(entry.attributes.mtime, fraction_of(*entry.text));
}

file_stat stat_of(archive::tree_entry& entry, const archive::packing_rules& rules) {
  const archive::file_attributes& attributes = entry.attributes;
  file_stat stat;
  stat.path = entry.path;
  stat.mode = mode_of(attributes.kind, rules.mode_of(attributes));
  if (rules.keep_ownership) {
    stat.uid = attributes.uid;
    stat.gid = attributes.gid;
  }
  stat.modified = time_of(rules, entry);
  stat.size = static_cast<std::int64_t>(attributes.size);
  if (attributes.kind == file_kind::symlink) stat.size = static_cast<std::int64_t>(entry.link.size());
  stat.link = entry.link;
  stat.device_major = attributes.major;
  stat.device_minor = attributes.minor;
  std::erase_if(entry.extended, [](const auto& one) { return one.first.starts_with("com.apple."); });
  stat.attributes = std::move(entry.extended);
  return stat;
}

}  // namespace

file_sender::file_sender(std::shared_ptr<const file_source> from, file_request wanted)
    : from_(std::move(from)), wanted_(std::move(wanted)) {}

error_code file_sender::start(diagnostics& why) {
  plan_ = from_->plan;
  plan_.mode = archive::ignore_mode::buildkit;
  plan_.attributes_only = true;
  plan_.overlay_in_order = true;
  if (wanted_.only_excludes || !wanted_.exclude.empty()) {
    auto rules = archive::ignore_rules::from_patterns(wanted_.exclude, "exclude pattern", why);
    if (!rules) return rules.error();
    plan_.rules = std::move(*rules);
    plan_.always.clear();
  }
  std::vector<std::string> include = std::move(wanted_.include);
  if (!wanted_.follow.empty() && plan_.on_disk) {
    auto paths = follow_paths(*from_->files, plan_.root, wanted_.follow, why);
    if (!paths) return paths.error();
    include.insert(include.end(), std::make_move_iterator(paths->begin()),
                   std::make_move_iterator(paths->end()));
  } else {
    include.insert(include.end(), wanted_.follow.begin(), wanted_.follow.end());
  }
  if (!include.empty()) {
    auto only = archive::ignore_rules::from_patterns(include, "include pattern", why);
    if (!only) return only.error();
    plan_.only = std::move(*only);
  }
  tree_observer* const told = this;
  walk_.emplace(plan_, *from_->files, told, &stopped_);
  return {};
}

result<file_sender::state> file_sender::fill(message_batch& batch, diagnostics& why) {
  if (stage_ == stage::start) {
    if (const error_code code = start(why)) return code;
    stage_ = stage::listing;
  }
  while (stage_ == stage::listing && batch.bytes.size() < list_limit)
    if (const error_code code = add_stat(batch, why)) return code;
  while (stage_ != stage::over && batch.bytes.size() < batch_limit && (sending_ || take_request())) {
    if (stopped_) return error_code(boost::asio::error::operation_aborted);
    if (const error_code code = sending_ ? add_data(batch, why) : open_next(why)) return code;
  }
  if (stage_ == stage::listing || sending_) return state::more;
  const std::lock_guard lock(mutex_);
  if (!requests_.empty()) return state::more;
  if (!fin_) return state::idle;
  if (std::exchange(stage_, stage::over) != stage::over) {
    const std::size_t begin = batch.bytes.size();
    append_fin(batch.bytes);
    batch.close(begin);
  }
  return state::over;
}

error_code file_sender::add_stat(message_batch& batch, diagnostics& why) {
  const auto step = walk_->next(entry_, why);
  if (!step) return step.error();
  if (!dispute_told_ && !walk_->disputed().empty() && from_->plan.mode != archive::ignore_mode::buildkit) {
    dispute_told_ = true;
    warn(plan_.ignore_file + ": " + walk_->disputed() +
         " is sent, but with the classic builder's reading of the exceptions it would not be");
  }
  const std::size_t begin = batch.bytes.size();
  if (*step == archive::found::nothing) {
    append_stat(batch.bytes, nullptr);
    walk_.reset();
    stage_ = stage::content;
  } else {
    const file_kind kind = entry_.attributes.kind;
    const std::uint32_t id = list_.add(entry_.path, kind == file_kind::directory);
    if (!is_utf8(entry_.path) || !is_utf8(entry_.link)) {
      why.set_client_message(
          entry_.path + ": BuildKit takes no name and no link that is not UTF-8; the classic builder does");
      return errc::unreadable_file;
    }
    const file_stat stat = stat_of(entry_, from_->rules);
    append_stat(batch.bytes, &stat);
    sent_files::file& file = list_[id];
    file.size = entry_.attributes.size;
    file.modified = time_of(entry_.attributes);
    file.has_content = kind == file_kind::regular;
    if (entry_.text != nullptr) texts_.emplace_back(id, entry_.text);
    ++entries_;
  }
  batch.close(begin);
  return {};
}

// The next one that was asked for becomes id_.
bool file_sender::take_request() {
  const std::lock_guard lock(mutex_);
  if (requests_.empty()) return false;
  id_ = requests_.front();
  requests_.pop_front();
  return true;
}

error_code file_sender::open_next(diagnostics& why) {
  // Twice, or never told of: then the other side is not what it says.
  if (id_ >= list_.size() || !list_[id_].has_content) {
    why.set_client_message("the daemon asked for file " + std::to_string(id_) +
                           " of the context, which is none that it may ask for");
    return errc::malformed_message;
  }
  list_[id_].has_content = false;
  left_ = list_[id_].size;
  text_ = nullptr;
  for (const auto& [id, text] : texts_)
    if (id == id_) text_ = text;
  if (text_ == nullptr) {
    if (const error_code code = open_file(id_, why)) return code;
  }
  sending_ = true;
  return {};
}

error_code file_sender::open_file(std::uint32_t id, diagnostics& why) {
  const sent_files::file& file = list_[id];
  if (!directory_ || file.parent != directory_id_) {
    directory_.reset();
    auto opened = from_->files->open_root(plan_.root);
    if (!opened) return explain(plan_.root, opened.error(), why);
    const std::string folder = file.parent == sent_files::none ? std::string() : list_.path(file.parent);
    for (std::size_t at = 0; at < folder.size();) {
      const std::size_t slash = std::min(folder.find('/', at), folder.size());
      const std::string name = folder.substr(at, slash - at);
      auto below = (*opened)->open_directory(name);
      if (!below) return explain(list_.path(id), below.error(), why);
      opened = std::move(*below);
      at = slash + 1;
    }
    directory_ = std::move(*opened);
    directory_id_ = file.parent;
  }
  const std::string name(list_.name(id));
  auto opened = directory_->open_file(name);
  if (!opened) return explain(list_.path(id), opened.error(), why);
  file_ = std::move(*opened);
  const auto now = file_->look();
  if (!now) return explain(list_.path(id), now.error(), why);
  if (now->kind != file_kind::regular || now->size != file.size || time_of(*now) != file.modified)
    return changed("changed", why);
  return {};
}

error_code file_sender::add_data(message_batch& batch, diagnostics& why) {
  const std::size_t begin = batch.bytes.size();
  // One byte more than is left, where there is room: that the read stops short of it shows that the file did
  // not grow.
  const auto wanted = static_cast<std::size_t>(left_ < piece_limit ? left_ + 1 : std::uint64_t{piece_limit});
  batch.bytes.resize(begin + head_room + wanted);
  char* const room = batch.bytes.data() + begin + head_room;
  std::size_t count = 0;
  if (text_ != nullptr) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left_));
    std::memcpy(room, text_->data() + (text_->size() - static_cast<std::size_t>(left_)), count);
  } else {
    const auto read = file_->read({room, wanted});
    if (!read) return explain(list_.path(id_), read.error(), why);
    count = *read;
  }
  if (count > left_) return changed("grew", why);
  if (count < wanted && count < left_) return changed("shrank", why);
  left_ -= count;
  bytes_ += count;
  batch.bytes.resize(begin + head_room + count);
  if (count > 0) {
    std::string head;
    append_data_head(head, id_, count);
    const std::size_t gap = head_room - head.size();
    batch.bytes.replace(begin + gap, head.size(), head);
    batch.ends.emplace_back(begin + gap, head.size() + count);
  }
  if (count < wanted) {
    // Written over in place, it is neither what it was nor what it is now.
    if (file_) {
      const auto now = file_->look();
      if (!now) return explain(list_.path(id_), now.error(), why);
      if (time_of(*now) != list_[id_].modified) return changed("changed", why);
    }
    const std::size_t last = batch.bytes.size();
    append_data_head(batch.bytes, id_, 0);
    batch.close(last);
    sending_ = false;
    file_.reset();
  }
  return {};
}

error_code file_sender::changed(std::string_view how, diagnostics& why) const {
  why.set_client_message(list_.path(id_) + ": " + std::string(how) + " while the context was sent");
  return errc::file_changed;
}

error_code file_sender::take(std::string_view message, diagnostics& why) {
  packet read;
  if (!read_packet(message, read)) return errc::malformed_message;
  const std::lock_guard lock(mutex_);
  switch (read.type) {
    case packet_type::request:
      // Each file once: what is beyond that is not kept, however much of it comes.
      if (fin_ || requests_.size() > entries_) return errc::malformed_message;
      requests_.push_back(read.id);
      return {};
    case packet_type::fin: fin_ = true; return {};
    case packet_type::error: why.set_server_message(std::string(read.data)); return errc::operation_failed;
    case packet_type::stat:
    case packet_type::data: break;
  }
  return errc::malformed_message;
}

packing_progress file_sender::sent() const noexcept {
  packing_progress progress;
  progress.entries = entries_;
  progress.bytes = bytes_;
  return progress;
}

void file_sender::skipped(std::string_view path, std::string_view reason) {
  if (++warned_ < warning_limit) {
    warn(std::string(path) + " was skipped: " + std::string(reason));
  } else if (warned_ == warning_limit) {
    warn("more files were skipped; only the first are named");
  }
}

void file_sender::warn(std::string text) {
  const std::lock_guard lock(mutex_);
  warnings_.push_back(std::move(text));
}

std::vector<std::string> file_sender::take_warnings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(warnings_, {});
}

}  // namespace dockline::buildkit
