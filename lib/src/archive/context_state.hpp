#pragma once

#include "dockline/archive/build_context.hpp"

#include "archive/disk.hpp"
#include "archive/file_tree.hpp"
#include "archive/packing_rules.hpp"
#include "archive/work_pool.hpp"
#include "core/foreign_work.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace dockline::archive {

// What all packings of a context share. The tree is apart, so that a job that still runs while the last copy
// of the context goes away holds only that, and not the pool it runs on.
struct build_context::state {
  struct tree {
    tree_plan plan;
    packing_rules rules;
    const disk* files = &local_disk();
    compression compress = compression::none;
    int compression_level = 1;
    std::string dockerfile_name;
    std::string dockerfile_text;
  };

  std::shared_ptr<const tree> found;
  // Empty when the caller's executor is used. When its last copy goes nobody waits for a read any more, and
  // what still runs stops at its next look.
  std::shared_ptr<work_pool> pool;
  boost::asio::any_io_executor work;
  // Of the context that it was opened on, which reads what is packed unless the source is told another one.
  std::shared_ptr<foreign_work_list> reader;
};

using context_tree = build_context::state::tree;

// The same context, but for what `change` does to its tree.
template <class Change>
build_context changed(const build_context& context, Change change) {
  auto tree = std::make_shared<context_tree>(*context.shared()->found);
  change(*tree);
  auto other = std::make_shared<build_context::state>(*context.shared());
  other->found = std::move(tree);
  return build_context(std::move(other));
}

// Finds and reads what the options name. Blocks; to be called where work is done. Relative paths in the
// options start at `working_directory` there, which is not empty.
result<std::shared_ptr<context_tree>> find_context(const context_options& options, const disk& files,
                                                   diagnostics& why);

}  // namespace dockline::archive
