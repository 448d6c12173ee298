#include "archive/context_source.hpp"

#include "archive/gzip_packing.hpp"
#include "archive/packing.hpp"
#include "archive/read_request.hpp"

#include <boost/asio/post.hpp>

#include <new>
#include <span>
#include <utility>

namespace dockline::archive {
namespace {

class packing_source final : public byte_source {
 public:
  packing_source(const build_context::state& context, std::shared_ptr<packing> packed)
      : packing_(std::move(packed)), pool_(context.pool), work_(context.work), reader_(context.reader) {}

  ~packing_source() override { packing_->stop(); }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const std::span<char> room(static_cast<char*>(block.data()), block.size());
    auto stop = [weak = std::weak_ptr<packing>(packing_)] {
      if (const auto running = weak.lock()) running->stop();
    };
    packing_->read(read_request::make(reader_, work_, room, std::move(handler), std::move(stop)));
  }

  void reads_complete_on(const boost::asio::any_io_executor& executor) override {
    reader_ = foreign_work_of(executor);
  }

  const diagnostics& why() const noexcept override { return packing_->why(); }
  packing_progress packed() const noexcept override { return packing_->packer.packed(); }
  std::vector<std::string> take_warnings() override { return packing_->packer.take_warnings(); }

 private:
  std::shared_ptr<packing> packing_;
  std::shared_ptr<work_pool> pool_;
  boost::asio::any_io_executor work_;
  std::shared_ptr<foreign_work_list> reader_;
};

std::shared_ptr<packing> make_packing(const build_context::state& context, std::string content_hash) {
  switch (context.found->compress) {
    case compression::none: break;
    case compression::gzip: return make_gzip_packing(context, std::move(content_hash));
  }
  return std::make_shared<packing>(context, std::move(content_hash));
}

}  // namespace

void packing::read(std::shared_ptr<read_request> request) {
  boost::asio::post(work_, [self = shared_from_this(), request = std::move(request)] {
    if (!request->take()) return;
    result<std::size_t> filled = std::size_t{0};
    try {
      filled = self->packer.fill(request->block());
    } catch (const std::bad_alloc&) {
      // A job has no caller who would catch it. Set here, and not before: g++ 12 has fill() write its result into what
      // it is assigned to, also where it throws.
      filled = make_error_code(boost::system::errc::not_enough_memory);
    }
    request->complete(filled);
  });
}

std::unique_ptr<byte_source> make_context_source(const build_context::state& context,
                                                 std::string content_hash) {
  return make_context_source(context, make_packing(context, std::move(content_hash)));
}

std::unique_ptr<byte_source> make_context_source(const build_context::state& context,
                                                 std::shared_ptr<packing> packed) {
  return std::make_unique<packing_source>(context, std::move(packed));
}

}  // namespace dockline::archive
