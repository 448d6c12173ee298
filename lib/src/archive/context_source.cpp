#include "archive/context_source.hpp"

#include "archive/gzip_source.hpp"
#include "archive/packing.hpp"
#include "archive/read_request.hpp"

#include <boost/asio/post.hpp>

#include <new>
#include <span>
#include <utility>

namespace dockline::archive {
namespace {

class tar_source final : public byte_source {
 public:
  tar_source(const build_context::state& context, std::shared_ptr<packing> packed)
      : packing_(std::move(packed)), pool_(context.pool), work_(context.work), reader_(context.reader) {}

  // A job that runs on without anybody waiting ends soon, and with it the descriptors that it holds.
  ~tar_source() override { packing_->packer.stop(); }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const std::span<char> room(static_cast<char*>(block.data()), block.size());
    auto request = read_request::make(reader_, work_, room, std::move(handler),
                                      [weak = std::weak_ptr<packing>(packing_)] {
                                        if (const auto running = weak.lock()) running->packer.stop();
                                      });
    boost::asio::post(work_, [packing = packing_, request = std::move(request)] {
      if (!request->take()) return;
      result<std::size_t> filled = make_error_code(boost::system::errc::not_enough_memory);
      try {
        filled = packing->packer.fill(request->block());
      } catch (const std::bad_alloc&) {
        // Stays what it is: a job has no caller who would catch it.
      }
      request->complete(filled);
    });
  }

  void reads_complete_on(const boost::asio::any_io_executor& executor) override {
    reader_ = foreign_work_of(executor);
  }

  const diagnostics& why() const noexcept override { return packing_->packer.why(); }
  packing_progress packed() const noexcept override { return packing_->packer.packed(); }
  std::vector<std::string> take_warnings() override { return packing_->packer.take_warnings(); }

 private:
  std::shared_ptr<packing> packing_;
  std::shared_ptr<work_pool> pool_;
  boost::asio::any_io_executor work_;
  std::shared_ptr<foreign_work_list> reader_;
};

}  // namespace

std::unique_ptr<byte_source> make_context_source(const build_context::state& context,
                                                 std::string content_hash) {
  switch (context.found->compress) {
    case compression::none: break;
    case compression::gzip: return make_gzip_source(context, std::move(content_hash));
  }
  return make_tar_source(context, std::make_shared<packing>(context.found, std::move(content_hash)));
}

std::unique_ptr<byte_source> make_tar_source(const build_context::state& context,
                                             std::shared_ptr<packing> packed) {
  return std::make_unique<tar_source>(context, std::move(packed));
}

}  // namespace dockline::archive
