#pragma once

// What a context consists of, entry by entry: the files of a directory less what its rules ignore, plus what
// is laid over them. Made while it is asked for: only the directories on the way to the current entry are
// held.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "archive/disk.hpp"
#include "archive/ignore_rules.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::archive {

// A file that is not on the disk as it is sent.
struct overlay_file {
  std::string name;  // in the root of the context
  std::string text;
  std::uint32_t mode = 0600;  // unless a file of the disk, whose place it takes, has one
  bool of_builder = false;  // a Dockerfile or ignore file that only a tar has here: a session has them apart
};

// The tree as it was found when the context was opened; shared by all walks through it.
struct tree_plan {
  std::string root;     // absolute
  bool on_disk = true;  // false: nothing but the overlay
  ignore_mode mode = ignore_mode::buildkit;
  ignore_rules rules;
  std::string ignore_file;            // for messages; empty when there is none
  std::vector<std::string> always;    // paths that are sent whatever the rules say
  std::vector<overlay_file> overlay;  // take the place of what has that name, else come after all others
  bool overlay_in_order = false;      // or where their names belong
  std::int64_t opened_at = 0;         // the time of overlaid files
  // When set, only what these match is sent, and the directories above it.
  std::optional<ignore_rules> only;
  // The content of files is not asked for: they are not opened, and their attributes are all there is. Second
  // names of a symbolic link are links like the first.
  bool attributes_only = false;
};

struct tree_entry {
  std::string path;  // from the root, without a slash at either end
  file_attributes attributes;
  std::string link;  // of a symbolic link, or of a hard one: the path that was sent first
  bool hard_link = false;
  std::string capability;
  extended_attributes extended;       // all of them, and only where the plan asks for attributes only
  const std::string* text = nullptr;  // the content, where it is laid over
};

// Whether a step of the walk made an entry.
enum class found : std::uint8_t { entry, nothing };

// Hears what does not become an entry.
class tree_observer {
 public:
  virtual ~tree_observer() = default;
  // `whole`: a directory that was not entered.
  virtual void ignored(std::string_view path, const ignore_rule& rule, bool whole) = 0;
  virtual void skipped(std::string_view path, std::string_view reason) = 0;
};

class tree_walk {
 public:
  // The plan and the disk outlive the walk; the observer may be null. `stopped`, if given, ends it from
  // another thread, with operation_aborted.
  tree_walk(const tree_plan& plan, const disk& files, tree_observer* observer,
            const std::atomic<bool>* stopped = nullptr);

  // The next entry into `entry`; found::nothing at the end. An error ends the walk: errc::unreadable_file or
  // errc::file_changed, with the path and the reason in `why`.
  result<found> next(tree_entry& entry, diagnostics& why);

  // The content of the entry that next() gave last, when that is a regular file of the disk with bytes in it.
  disk_file* content() noexcept { return content_.get(); }
  void close_content() noexcept { content_.reset(); }

  // A path, when classic and BuildKit's rules disagree about this tree: the first one that only one of them
  // keeps. Empty until it is found.
  const std::string& disputed() const noexcept { return disputed_; }

 private:
  struct open_directory {
    std::unique_ptr<disk_directory> handle;  // null far above the current one: descriptors are few
    directory_names names;
    std::size_t next = 0;
    std::size_t path_length = 0;  // of path_, with the slash that follows the directory
    rule_marks marks;
    rule_marks only_marks;
    bool in_classic = true;   // whether docker's way of pruning comes here,
    bool in_buildkit = true;  // and BuildKit's
    bool sent = true;         // has its entry; the root needs none
    file_attributes attributes;
    extended_attributes extended;
  };

  error_code open_root(diagnostics& why);
  error_code reopen(diagnostics& why);
  result<found> visit(std::string_view name, file_kind listed, tree_entry& entry, diagnostics& why);
  result<found> visit_directory(std::string_view name, tree_entry& entry, diagnostics& why);
  error_code enter(std::string_view name, open_directory& below);
  bool visible(const open_directory& directory) const;
  result<found> visit_file(std::string_view name, file_attributes attributes, tree_entry& entry,
                           diagnostics& why);
  result<found> open_content(std::string_view name, tree_entry& entry, diagnostics& why);
  bool wanted(std::string_view path, const rule_marks& inherited, rule_marks* marks);
  bool send_parent(tree_entry& entry);
  bool send_overlay(tree_entry& entry, const std::string_view* before);
  const overlay_file* overlaid(std::string_view path) const;
  bool is_always(std::string_view path) const;
  bool leads_to_always(std::string_view path) const;

  const tree_plan* plan_;
  const disk* files_;
  tree_observer* observer_;
  const std::atomic<bool>* stopped_;
  ignore_matcher matcher_;
  std::optional<ignore_matcher> only_;
  std::vector<open_directory> open_;
  bool started_ = false;
  std::string path_;  // of the current name
  std::vector<bool> overlay_sent_;
  std::vector<std::size_t> overlay_order_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::pair<std::string, std::string>> linked_;
  std::unique_ptr<disk_file> content_;
  std::string disputed_;
};

}  // namespace dockline::archive
