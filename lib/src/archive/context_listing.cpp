#include "dockline/archive/context_listing.hpp"

#include "archive/context_state.hpp"
#include "archive/file_tree.hpp"
#include "archive/work.hpp"
#include "core/spawn.hpp"

#include <string_view>
#include <utility>

namespace dockline::archive {
namespace {

entry_type type_of(const tree_entry& entry) noexcept {
  if (entry.hard_link) return entry_type::hardlink;
  switch (entry.attributes.kind) {
    case file_kind::directory: return entry_type::directory;
    case file_kind::symlink: return entry_type::symlink;
    case file_kind::fifo: return entry_type::fifo;
    case file_kind::character_device:
    case file_kind::block_device: return entry_type::device;
    case file_kind::regular:
    case file_kind::socket:
    case file_kind::unknown: break;
  }
  return entry_type::file;
}

class collector final : public tree_observer {
 public:
  explicit collector(const tree_plan& plan) : plan_(plan) {
    for (const ignore_rule& rule : plan.rules.rules())
      listing.rules.push_back({plan.ignore_file, rule.line, rule.written});
  }

  void ignored(std::string_view path, const ignore_rule& rule, bool whole) override {
    const auto index = static_cast<std::size_t>(&rule - plan_.rules.rules().data());
    listing.ignored.push_back({std::string(path), whole, index});
  }
  void skipped(std::string_view path, std::string_view reason) override {
    listing.skipped.push_back({std::string(path), std::string(reason)});
  }

  context_listing listing;

 private:
  const tree_plan& plan_;
};

result<context_listing> list(const context_tree& tree, diagnostics& why, const std::atomic<bool>& stopped) {
  collector heard(tree.plan);
  tree_walk walk(tree.plan, *tree.files, &heard, &stopped);
  for (tree_entry entry; !stopped;) {
    const auto step = walk.next(entry, why);
    if (!step) return step.error();
    if (*step == found::nothing) {
      if (!walk.disputed().empty()) heard.listing.disputed = walk.disputed();
      return std::move(heard.listing);
    }
    context_entry listed;
    listed.type = type_of(entry);
    listed.path = std::move(entry.path);
    listed.mode = entry.attributes.mode;
    listed.size = entry.attributes.size;
    listed.link = std::move(entry.link);
    heard.listing.bytes += listed.size;
    heard.listing.entries.push_back(std::move(listed));
  }
  return aborted();
}

task<context_listing> list_context(build_context context, diagnostics& why) {
  const auto& shared = *context.shared();
  auto job = std::make_shared<blocking_job<context_listing>>();
  job->work = [tree = shared.found](diagnostics& where, const std::atomic<bool>& stopped) {
    return list(*tree, where, stopped);
  };
  co_return co_await run_blocking(shared.work, job, why);
}

}  // namespace

const char* name_of(entry_type type) noexcept {
  switch (type) {
    case entry_type::file: return "file";
    case entry_type::directory: return "directory";
    case entry_type::symlink: return "symlink";
    case entry_type::hardlink: return "hardlink";
    case entry_type::fifo: return "fifo";
    case entry_type::device: return "device";
  }
  return "";
}

void start_list_context(boost::asio::any_io_executor executor, build_context context, diagnostics* why,
                        completion_handler<context_listing> handler) {
  spawn<context_listing>(executor, why, std::move(handler),
                         [context = std::move(context)](diagnostics& where) mutable {
                           return list_context(std::move(context), where);
                         });
}

}  // namespace dockline::archive
