#include "archive/given_archive.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/transfer.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace dockline::archive {
namespace {

constexpr std::size_t plain_size = std::size_t{128} << 10;

}  // namespace

class gzip_storer {
 public:
  gzip_storer() {
    constexpr int stored = 0;
    constexpr int gzip_wrapper = 15 + 16;
    constexpr int memory = 8;
    if (::deflateInit2(&stream_, stored, Z_DEFLATED, gzip_wrapper, memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  gzip_storer(const gzip_storer&) = delete;
  gzip_storer& operator=(const gzip_storer&) = delete;
  ~gzip_storer() { ::deflateEnd(&stream_); }

  // Appends to `out` what these bytes make; with none, the end.
  void add(std::span<char> plain, std::string& out) {
    constexpr std::size_t step = std::size_t{64} << 10;
    const int flush = plain.empty() ? Z_FINISH : Z_NO_FLUSH;
    stream_.next_in = reinterpret_cast<Bytef*>(plain.data());
    stream_.avail_in = static_cast<uInt>(plain.size());
    do {
      const std::size_t used = out.size();
      out.resize(used + step);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream_.avail_out = static_cast<uInt>(step);
      (void)::deflate(&stream_, flush);
      out.resize(used + step - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

given_archive::given_archive(asio::any_io_executor executor, std::shared_ptr<byte_source> bytes)
    : executor_(std::move(executor)), bytes_(std::move(bytes)) {}
given_archive::~given_archive() = default;

task<archive_format> given_archive::look() {
  ready_.resize(archive_probe_size);
  std::size_t size = 0;
  while (size < ready_.size() && !over_) {
    auto [code, more] = co_await read_some(*bytes_, asio::buffer(ready_) + size);
    if (code) co_return code;
    over_ = more == 0;
    size += more;
  }
  ready_.resize(size);
  co_return detect_archive(ready_);
}

void given_archive::store_as_gzip() {
  storer_ = std::make_unique<gzip_storer>();
  plain_.resize(plain_size);
  std::string start = std::exchange(ready_, {});
  if (!start.empty()) storer_->add(start, ready_);
}

std::optional<std::uint64_t> given_archive::size() const { return storer_ ? std::nullopt : bytes_->size(); }

void given_archive::async_read_some(asio::mutable_buffer block, transfer_handler handler) {
  spawn<std::size_t>(executor_, nullptr, std::move(handler), [this, block](diagnostics&) {
    return storer_ ? read_stored(block) : read_plain(block);
  });
}

task<std::size_t> given_archive::read_plain(asio::mutable_buffer block) {
  if (given_ < ready_.size()) co_return take_ready(block);
  if (over_) co_return std::size_t{0};
  auto [code, size] = co_await read_some(*bytes_, block);
  if (code) co_return code;
  co_return size;
}

task<std::size_t> given_archive::read_stored(asio::mutable_buffer block) {
  while (given_ == ready_.size() && !finished_) {
    std::size_t size = 0;
    if (!over_) {
      auto [code, count] = co_await read_some(*bytes_, asio::buffer(plain_));
      if (code) co_return code;
      size = count;
    }
    ready_.clear();
    given_ = 0;
    storer_->add(std::span(plain_).first(size), ready_);
    finished_ = size == 0;
  }
  co_return take_ready(block);
}

std::size_t given_archive::take_ready(asio::mutable_buffer block) {
  const std::size_t size = std::min(block.size(), ready_.size() - given_);
  std::memcpy(block.data(), ready_.data() + given_, size);
  given_ += size;
  return size;
}

const diagnostics& given_archive::why() const noexcept { return bytes_->why(); }

packing_progress given_archive::packed() const noexcept { return bytes_->packed(); }

std::vector<std::string> given_archive::take_warnings() { return bytes_->take_warnings(); }

}  // namespace dockline::archive
