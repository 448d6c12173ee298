#pragma once

#include "archive/context_state.hpp"
#include "archive/tar_packer.hpp"

#include <memory>
#include <utility>

namespace dockline::archive {

// What the jobs of one packing need. They keep it: one may still run when a cancelled source is gone.
struct packing {
  explicit packing(std::shared_ptr<const context_tree> from)
      : tree(std::move(from)), packer(tree->plan, tree->rules, *tree->files) {}

  std::shared_ptr<const context_tree> tree;
  tar_packer packer;
};

}  // namespace dockline::archive
