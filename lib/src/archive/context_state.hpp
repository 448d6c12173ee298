#pragma once

#include "dockline/archive/build_context.hpp"

#include "archive/disk.hpp"
#include "archive/file_tree.hpp"
#include "archive/packing_rules.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace dockline::archive {

// The threads of a context whose caller gave no executor for work. Joined with the last copy: by then nobody
// waits for a read any more, and what still runs stops at its next look.
class work_pool;

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
  std::shared_ptr<work_pool> pool;  // empty when the caller's executor is used
  boost::asio::any_io_executor work;
};

using context_tree = build_context::state::tree;

std::shared_ptr<work_pool> make_work_pool();
boost::asio::any_io_executor executor_of(work_pool& pool);

// Finds and reads what the options name. Blocks; to be called where work is done. Relative paths in the
// options start at `working_directory` there, which is not empty.
result<std::shared_ptr<context_tree>> find_context(const context_options& options, const disk& files,
                                                   diagnostics& why);

}  // namespace dockline::archive
