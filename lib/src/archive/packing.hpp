#pragma once

#include "archive/context_state.hpp"
#include "archive/read_request.hpp"
#include "archive/tar_packer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace dockline::archive {

// One packing, as the tar itself. Its jobs keep it: one may still run when a cancelled source is gone.
class packing : public std::enable_shared_from_this<packing> {
 public:
  // `content_hash`: what the tar's has to be in the end; empty where that does not matter.
  explicit packing(const build_context::state& context, std::string content_hash = {})
      : tree(context.found), packer(tree->plan, tree->rules, *tree->files), work_(context.work) {
    if (!content_hash.empty()) packer.hash_content(std::move(content_hash));
  }
  packing(const packing&) = delete;
  packing& operator=(const packing&) = delete;
  virtual ~packing() = default;

  // Serves one read, one at a time, by jobs on the executor for work.
  virtual void read(std::shared_ptr<read_request> request);
  // A job that runs on without anybody waiting ends soon, and with it the descriptors that it holds.
  virtual void stop() { packer.stop(); }
  // About the error that the last read completed with.
  virtual const diagnostics& why() const noexcept { return packer.why(); }

  const std::shared_ptr<const context_tree> tree;
  tar_packer packer;

 protected:
  const boost::asio::any_io_executor& work() const noexcept { return work_; }

 private:
  boost::asio::any_io_executor work_;
};

}  // namespace dockline::archive
