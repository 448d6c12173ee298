#pragma once

#include "archive/context_state.hpp"
#include "archive/tar_packer.hpp"

#include <memory>
#include <string>
#include <utility>

namespace dockline::archive {

// What the jobs of one packing need. They keep it: one may still run when a cancelled source is gone.
struct packing {
  // `content_hash`: what the tar's has to be in the end; empty where that does not matter.
  explicit packing(std::shared_ptr<const context_tree> from, std::string content_hash = {})
      : tree(std::move(from)), packer(tree->plan, tree->rules, *tree->files) {
    if (!content_hash.empty()) packer.hash_content(std::move(content_hash));
  }

  std::shared_ptr<const context_tree> tree;
  tar_packer packer;
};

}  // namespace dockline::archive
