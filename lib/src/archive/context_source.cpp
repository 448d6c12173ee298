#include "archive/context_source.hpp"

#include "archive/read_job.hpp"
#include "archive/tar_packer.hpp"

#include <span>
#include <utility>

namespace dockline::archive {
namespace {

// What a job needs. Kept by the job: it may still run when a cancelled source is gone.
struct packing {
  explicit packing(std::shared_ptr<const context_tree> from)
      : tree(std::move(from)), packer(tree->plan, tree->rules, *tree->files) {}

  std::shared_ptr<const context_tree> tree;
  tar_packer packer;
};

class tar_source final : public byte_source {
 public:
  explicit tar_source(const build_context::state& context)
      : packing_(std::make_shared<packing>(context.found)), pool_(context.pool), work_(context.work) {}

  // A job that runs on without anybody waiting ends soon, and with it the descriptors that it holds.
  ~tar_source() override { packing_->packer.stop(); }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const std::span<char> room(static_cast<char*>(block.data()), block.size());
    start_read_job(
        work_, std::move(handler), [packing = packing_, room] { return packing->packer.fill(room); },
        [weak = std::weak_ptr<packing>(packing_)] {
          if (const auto running = weak.lock()) running->packer.stop();
        });
  }

  const diagnostics& why() const noexcept override { return packing_->packer.why(); }
  packing_progress packed() const noexcept override { return packing_->packer.packed(); }
  std::vector<std::string> take_warnings() override { return packing_->packer.take_warnings(); }

 private:
  std::shared_ptr<packing> packing_;
  std::shared_ptr<work_pool> pool_;
  boost::asio::any_io_executor work_;
};

}  // namespace

std::unique_ptr<byte_source> make_context_source(const build_context::state& context) {
  return std::make_unique<tar_source>(context);
}

}  // namespace dockline::archive
