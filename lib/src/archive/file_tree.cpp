#include "archive/file_tree.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <numeric>

namespace dockline::archive {
namespace {

// How many directories are held open. A tree may be deeper than a process may have descriptors.
constexpr std::size_t open_limit = 64;

bool is_error(error_code code, int number) {
  return code.category() == boost::system::system_category() && code.value() == number;
}

// What a failed call on a name that was just listed means. That the name is gone, or is suddenly something
// else, is a change of the tree; all else is a file that cannot be read.
error_code explain(std::string_view path, error_code code, diagnostics& why) {
  if (code == boost::asio::error::operation_aborted) return code;
  std::string text(path.empty() ? "the context's directory" : path);
  errc kind = errc::unreadable_file;
  if (is_error(code, ENOENT)) {
    kind = errc::file_changed;
    text += ": vanished while the context was packed";
  } else if (is_error(code, ELOOP) || is_error(code, ENOTDIR) || is_error(code, ENXIO)) {
    kind = errc::file_changed;
    text += ": was replaced while the context was packed";
  } else {
    text += ": " + code.message();
  }
  why.set_client_message(std::move(text));
  return kind;
}

}  // namespace

tree_walk::tree_walk(const tree_plan& plan, const disk& files, tree_observer* observer,
                     const std::atomic<bool>* stopped)
    : plan_(&plan),
      files_(&files),
      observer_(observer),
      stopped_(stopped),
      matcher_(plan.rules),
      overlay_sent_(plan.overlay.size(), false),
      overlay_order_(plan.overlay.size()) {
  if (plan.only) only_.emplace(*plan.only);
  std::iota(overlay_order_.begin(), overlay_order_.end(), std::size_t{0});
  if (!plan.overlay_in_order) return;
  std::sort(overlay_order_.begin(), overlay_order_.end(),
            [&](std::size_t a, std::size_t b) { return plan.overlay[a].name < plan.overlay[b].name; });
}

error_code tree_walk::open_root(diagnostics& why) {
  auto root = files_->open_root(plan_->root);
  if (!root) return explain({}, root.error(), why);
  open_directory opened;
  opened.handle = std::move(*root);
  if (const error_code code = opened.handle->list(opened.names, stopped_)) return explain({}, code, why);
  open_.push_back(std::move(opened));
  return {};
}

// Opens the current directory again, from the root down, and those above it that fit into the limit.
error_code tree_walk::reopen(diagnostics& why) {
  const std::size_t current = open_.size() - 1;
  std::unique_ptr<disk_directory> passing;
  disk_directory* above = open_.front().handle.get();
  for (std::size_t i = 1; i <= current; ++i) {
    open_directory& wanted = open_[i];
    if (!wanted.handle) {
      const std::size_t start = open_[i - 1].path_length;
      const std::string path = path_.substr(0, wanted.path_length - 1);
      auto handle = above->open_directory(std::string_view(path).substr(start));
      if (!handle) return explain(path, handle.error(), why);
      const auto attributes = (*handle)->look();
      if (!attributes) return explain(path, attributes.error(), why);
      if (attributes->device != wanted.attributes.device || attributes->inode != wanted.attributes.inode)
        return explain(path, {ENOTDIR, boost::system::system_category()}, why);
      if (current - i >= open_limit) {
        above = handle->get();
        passing = std::move(*handle);
        continue;
      }
      wanted.handle = std::move(*handle);
    }
    above = wanted.handle.get();
  }
  return {};
}

result<found> tree_walk::next(tree_entry& entry, diagnostics& why) {
  content_.reset();
  if (!started_) {
    started_ = true;
    if (const error_code code = plan_->on_disk ? open_root(why) : error_code()) return code;
  }
  while (!open_.empty()) {
    // A directory may hold a million files of which none is sent.
    if (stopped_ != nullptr && *stopped_) return error_code(boost::asio::error::operation_aborted);
    open_directory& in = open_.back();
    path_.resize(in.path_length);
    if (in.next == in.names.size()) {
      open_.pop_back();
      continue;
    }
    if (!in.handle) {
      if (const error_code code = reopen(why)) return code;
    }
    const std::string_view name = in.names.name(in.next);
    const file_kind listed = in.names.kind(in.next);
    if (plan_->overlay_in_order && open_.size() == 1 && send_overlay(entry, &name)) return found::entry;
    path_ += name;
    auto sent = visit(name, listed, entry, why);
    if (!sent || *sent == found::entry) return sent;
  }
  return send_overlay(entry, nullptr) ? found::entry : found::nothing;
}

// Moves on to the next name unless the entry is that of a parent.
result<found> tree_walk::visit(std::string_view name, file_kind listed, tree_entry& entry, diagnostics& why) {
  open_directory& in = open_.back();
  file_attributes attributes;
  attributes.kind = listed;
  if (listed == file_kind::unknown) {
    auto looked = in.handle->look(name);
    if (!looked) return explain(path_, looked.error(), why);
    attributes = *looked;
  }
  const bool laid_over = overlaid(path_) != nullptr;
  if (attributes.kind == file_kind::directory && !laid_over) return visit_directory(name, entry, why);

  const bool always = is_always(path_);
  const ignore_rule* by = always ? nullptr : matcher_.ignored_by(path_, in.marks, nullptr);
  if (by) {
    if (visible(in) && observer_) observer_->ignored(path_, *by, false);
    ++in.next;
    return found::nothing;
  }
  if (in.in_classic != in.in_buildkit && disputed_.empty()) disputed_ = path_;
  if (!visible(in) || !wanted(path_, in.only_marks, nullptr)) {
    ++in.next;
    return found::nothing;
  }
  if (attributes.kind == file_kind::socket && !laid_over) {
    if (observer_) observer_->skipped(path_, "a socket cannot be sent");
    ++in.next;
    return found::nothing;
  }
  if (send_parent(entry)) return found::entry;
  ++in.next;
  if (listed != file_kind::unknown) {
    auto looked = in.handle->look(name);
    if (!looked) return explain(path_, looked.error(), why);
    attributes = *looked;
  }
  return visit_file(name, attributes, entry, why);
}

result<found> tree_walk::visit_directory(std::string_view name, tree_entry& entry, diagnostics& why) {
  open_directory& in = open_.back();
  open_directory below;
  const ignore_rule* by = matcher_.ignored_by(path_, in.marks, &below.marks);
  const bool needed = leads_to_always(path_);
  below.in_classic = in.in_classic && (!by || needed || plan_->rules.classic_enters(path_));
  below.in_buildkit = in.in_buildkit && (!by || needed || plan_->rules.buildkit_enters(path_));
  const bool listed = wanted(path_, in.only_marks, &below.only_marks);
  if (!listed && !plan_->only->may_match_in(path_)) below.in_classic = below.in_buildkit = false;
  const bool send = visible(in) && !by && listed;
  if (send && send_parent(entry)) return found::entry;
  ++in.next;
  if (visible(in) && by && observer_) observer_->ignored(path_, *by, !visible(below));
  // Where only the other mode goes there is nothing to send, but perhaps a dispute to find.
  if (!visible(below) && (!disputed_.empty() || !(below.in_classic || below.in_buildkit)))
    return found::nothing;
  if (const error_code code = enter(name, below)) {
    // What is ignored may be what nobody here may read: whatever is not ignored in it is then not sent, as in docker.
    const bool forbidden = by && !needed && code == boost::system::errc::permission_denied;
    if ((forbidden || !visible(below)) && code != boost::asio::error::operation_aborted)
      return found::nothing;
    return explain(path_, code, why);
  }
  below.path_length = path_.size() + 1;
  below.sent = send;
  if (send) {
    entry = tree_entry();
    entry.path = path_;
    entry.attributes = below.attributes;
    entry.extended = below.extended;
  }
  path_ += '/';
  open_.push_back(std::move(below));
  if (open_.size() > open_limit + 1) open_[open_.size() - 1 - open_limit].handle.reset();
  return send ? found::entry : found::nothing;
}

error_code tree_walk::enter(std::string_view name, open_directory& below) {
  auto handle = open_.back().handle->open_directory(name);
  if (!handle) return handle.error();
  auto looked = (*handle)->look();
  if (!looked) return looked.error();
  if (plan_->attributes_only) {
    auto extended = open_.back().handle->read_extended(name);
    if (!extended) return extended.error();
    below.extended = std::move(*extended);
  }
  below.handle = std::move(*handle);
  below.attributes = *looked;
  return below.handle->list(below.names, stopped_);
}

bool tree_walk::visible(const open_directory& directory) const {
  return plan_->mode == ignore_mode::classic ? directory.in_classic : directory.in_buildkit;
}

result<found> tree_walk::visit_file(std::string_view name, file_attributes attributes, tree_entry& entry,
                                    diagnostics& why) {
  entry = tree_entry();
  entry.path = path_;
  entry.attributes = attributes;
  if (const overlay_file* over = overlaid(path_)) {
    overlay_sent_[static_cast<std::size_t>(over - plan_->overlay.data())] = true;
    if (attributes.kind != file_kind::regular) entry.attributes.mode = over->mode;
    entry.attributes.kind = file_kind::regular;
    entry.attributes.size = over->text.size();
    entry.text = &over->text;
    return found::entry;
  }
  if (attributes.kind == file_kind::directory || attributes.kind == file_kind::socket ||
      attributes.kind == file_kind::unknown)
    return explain(path_, {ENXIO, boost::system::system_category()}, why);
  disk_directory& in = *open_.back().handle;
  if (attributes.kind == file_kind::symlink) {
    auto target = in.read_link(name);
    if (!target) return explain(path_, target.error(), why);
    entry.link = std::move(*target);
  }
  if (plan_->attributes_only) {
    auto extended = in.read_extended(name);
    if (!extended) return explain(path_, extended.error(), why);
    entry.extended = std::move(*extended);
  }
  const auto identity = std::make_pair(attributes.device, attributes.inode);
  const bool linked =
      attributes.links > 1 && !(plan_->attributes_only && attributes.kind == file_kind::symlink);
  if (linked) {
    if (const auto first = linked_.find(identity); first != linked_.end()) {
      entry.hard_link = true;
      entry.link = first->second.first;
      entry.capability = first->second.second;
      // A tar's second name has no content, and says so. A daemon's file system, which BuildKit compares with
      // what it is told of, gives all names the size of the file.
      if (!plan_->attributes_only) entry.attributes.size = 0;
      return found::entry;
    }
  }
  if (attributes.kind == file_kind::regular && !plan_->attributes_only) {
    auto opened = open_content(name, entry, why);
    if (!opened) return opened;
  }
  if (linked) linked_.emplace(identity, std::make_pair(entry.path, entry.capability));
  return found::entry;
}

result<found> tree_walk::open_content(std::string_view name, tree_entry& entry, diagnostics& why) {
  auto file = open_.back().handle->open_file(name);
  if (!file) return explain(path_, file.error(), why);
  // Looked at again, so that the header belongs to the file whose bytes follow it.
  auto attributes = (*file)->look();
  if (!attributes) return explain(path_, attributes.error(), why);
  if (attributes->kind != file_kind::regular)
    return explain(path_, {ENXIO, boost::system::system_category()}, why);
  auto capability = (*file)->capability();
  if (!capability) return explain(path_, capability.error(), why);
  entry.attributes = *attributes;
  entry.capability = std::move(*capability);
  content_ = std::move(*file);
  return found::entry;
}

bool tree_walk::wanted(std::string_view path, const rule_marks& inherited, rule_marks* marks) {
  return !only_ || only_->ignored_by(path, inherited, marks) != nullptr;
}

// BuildKit's way: the ignored directories above what is kept are sent too, the outermost first.
bool tree_walk::send_parent(tree_entry& entry) {
  if (plan_->mode == ignore_mode::classic) return false;
  for (open_directory& parent : open_) {
    if (parent.sent) continue;
    parent.sent = true;
    entry = tree_entry();
    entry.path = path_.substr(0, parent.path_length - 1);
    entry.attributes = parent.attributes;
    entry.extended = parent.extended;
    return true;
  }
  return false;
}

// The next one that is not on the disk, of those whose names come first if `before` is given.
bool tree_walk::send_overlay(tree_entry& entry, const std::string_view* before) {
  for (const std::size_t i : overlay_order_) {
    const overlay_file& file = plan_->overlay[i];
    if (before != nullptr && file.name >= *before) return false;
    if (overlay_sent_[i]) continue;
    overlay_sent_[i] = true;
    if (!is_always(file.name) && matcher_.ignored_by(file.name, {}, nullptr)) continue;
    if (!wanted(file.name, {}, nullptr)) continue;
    entry = tree_entry();
    entry.path = file.name;
    entry.attributes.kind = file_kind::regular;
    entry.attributes.mode = file.mode;
    entry.attributes.size = file.text.size();
    entry.attributes.mtime = plan_->opened_at;
    entry.text = &file.text;
    return true;
  }
  return false;
}

const overlay_file* tree_walk::overlaid(std::string_view path) const {
  if (open_.size() > 1) return nullptr;
  const auto found = std::find_if(plan_->overlay.begin(), plan_->overlay.end(),
                                  [&](const overlay_file& file) { return file.name == path; });
  return found == plan_->overlay.end() ? nullptr : &*found;
}

bool tree_walk::is_always(std::string_view path) const {
  return std::find(plan_->always.begin(), plan_->always.end(), path) != plan_->always.end();
}

bool tree_walk::leads_to_always(std::string_view path) const {
  return std::any_of(plan_->always.begin(), plan_->always.end(), [&](const std::string& needed) {
    return needed.size() > path.size() && needed[path.size()] == '/' && needed.starts_with(path);
  });
}

}  // namespace dockline::archive
