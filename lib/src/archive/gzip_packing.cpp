#include "archive/gzip_packing.hpp"

#include "archive/deflate.hpp"
#include "archive/packing.hpp"
#include "archive/read_request.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace dockline::archive {
namespace {

// Large enough that the seams between blocks do not show in the size.
constexpr std::size_t block_size = 512 * 1024;

// As Go's writer puts it, and with it docker: no name, no time, no system. The level is not told either.
constexpr std::string_view gzip_header("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10);

// How many blocks are on their way at once: one for each thread that compresses, one that is filled and one
// that is drained.
std::size_t ring_size() {
  constexpr unsigned most = 8;
  return std::clamp(std::thread::hardware_concurrency(), 1u, most) + 2;
}

// A ring of blocks. One job at a time fills them in order from the packer, others compress what is filled in
// whatever order they get to it, and the reads drain them in order again. A block that is not drained is not
// filled: a slow reader stops the packer.
class gzip_packing final : public packing {
 public:
  gzip_packing(const build_context::state& context, std::string content_hash)
      : packing(context, std::move(content_hash)), ring_(ring_size()) {}

  void read(std::shared_ptr<read_request> request) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_ = std::move(request);
    }
    post([](gzip_packing& self) { self.fill(); });
  }

  void stop() override {
    packing::stop();
    fail(boost::asio::error::operation_aborted);
  }

  // The packer's words belong to the job that fills; these are a copy that was made before the read
  // completed.
  const diagnostics& why() const noexcept override { return why_; }

 private:
  enum class stage { empty, filled, compressed };

  struct block {
    stage at = stage::empty;
    std::string plain;
    std::string before;  // the end of the block before it
    std::string packed;
    std::uint32_t checksum = 0;
    bool last = false;
    std::unique_ptr<block_deflater> deflater;
  };

  void fail(error_code code) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = code;
  }

  // A job has no caller who would catch what it throws.
  template <class Job>
  void post(Job job) {
    auto self = std::static_pointer_cast<gzip_packing>(shared_from_this());
    boost::asio::post(work(), [self = std::move(self), job = std::move(job)] {
      try {
        job(*self);
      } catch (const std::bad_alloc&) {
        self->fail(make_error_code(boost::system::errc::not_enough_memory));
      }
      self->drain();
    });
  }

  block& slot(std::size_t number) { return ring_[number % ring_.size()]; }

  // Fills blocks until none is free, unless another job is at it.
  void fill() {
    std::unique_lock lock(mutex_);
    if (filling_) return;
    filling_ = true;
    while (!error_ && !filled_last_ && slot(filled_).at == stage::empty) {
      block& free = slot(filled_);
      lock.unlock();
      free.plain.resize(block_size);
      const auto count = packer.fill(free.plain);
      lock.lock();
      if (!count) {
        if (!error_) {
          error_ = count.error();
          why_ = packer.why();
        }
        break;
      }
      free.plain.resize(*count);
      free.last = filled_last_ = *count < block_size;
      free.before = std::move(tail_);
      tail_ = free.plain.substr(free.plain.size() - std::min(free.plain.size(), deflate_window));
      free.at = stage::filled;
      const std::size_t number = filled_++;
      lock.unlock();
      post([number](gzip_packing& self) { self.compress(number); });
      lock.lock();
    }
    filling_ = false;
  }

  // The block is this job's alone until it is marked.
  void compress(std::size_t number) {
    block& mine = slot(number);
    {
      const std::lock_guard lock(mutex_);
      if (error_) return;
    }
    if (!mine.deflater) mine.deflater = make_block_deflater(tree->compression_level);
    mine.packed.clear();
    if (number == 0) mine.packed = gzip_header;
    mine.deflater->deflate(mine.plain, mine.before, mine.last, mine.packed);
    mine.checksum = mine.deflater->checksum(mine.plain);
    const std::lock_guard lock(mutex_);
    mine.at = stage::compressed;
  }

  // Serves the read that waits, if it can be served.
  void drain() {
    std::unique_lock lock(mutex_);
    if (!waiting_ || !(error_ || ended_ || slot(drained_).at == stage::compressed)) return;
    const auto request = std::move(waiting_);
    waiting_.reset();
    if (!request->take()) return;
    if (error_) {
      const error_code code = error_;
      lock.unlock();
      return request->complete(code);
    }
    std::span<char> room = request->block();
    bool freed = false;
    while (!room.empty() && !ended_ && slot(drained_).at == stage::compressed) {
      block& front = slot(drained_);
      if (offset_ == 0) join(front);
      const std::size_t count = std::min(room.size(), front.packed.size() - offset_);
      std::memcpy(room.data(), front.packed.data() + offset_, count);
      room = room.subspan(count);
      offset_ += count;
      if (offset_ < front.packed.size()) continue;
      offset_ = 0;
      ended_ = front.last;
      front.at = stage::empty;
      freed = true;
      ++drained_;
    }
    const bool refill = freed && !filling_ && !filled_last_;
    lock.unlock();
    if (refill) post([](gzip_packing& self) { self.fill(); });
    request->complete(request->block().size() - room.size());
  }

  // What the stream's end has to tell of all blocks; asked of each when its first byte is drained.
  void join(block& front) {
    checksum_ = joined_checksum(checksum_, front.checksum, front.plain.size());
    plain_size_ += front.plain.size();
    if (!front.last) return;
    for (const auto value : {checksum_, static_cast<std::uint32_t>(plain_size_)}) {
      for (unsigned shift = 0; shift < 32; shift += 8)
        front.packed += static_cast<char>(static_cast<unsigned char>(value >> shift));
    }
  }

  std::mutex mutex_;
  std::vector<block> ring_;
  std::size_t filled_ = 0;   // blocks so far
  std::size_t drained_ = 0;  // blocks so far
  std::size_t offset_ = 0;   // in the block that is drained
  bool filling_ = false;
  bool filled_last_ = false;
  bool ended_ = false;
  std::string tail_;
  std::uint32_t checksum_ = 0;
  std::uint64_t plain_size_ = 0;
  error_code error_;
  diagnostics why_;
  std::shared_ptr<read_request> waiting_;
};

}  // namespace

std::shared_ptr<packing> make_gzip_packing(const build_context::state& context, std::string content_hash) {
  return std::make_shared<gzip_packing>(context, std::move(content_hash));
}

}  // namespace dockline::archive
