#pragma once

#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace dockline::test {

// Bytes from memory, in pieces if that is wanted, and then their end or an error.
class text_source final : public byte_source {
 public:
  text_source(boost::asio::any_io_executor executor, std::string text, std::size_t piece = std::string::npos,
              error_code end = {})
      : executor_(std::move(executor)), text_(std::move(text)), piece_(piece), end_(end) {}

  std::optional<std::uint64_t> size() const override { return text_.size(); }

  void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) override {
    const std::size_t size = std::min({block.size(), piece_, text_.size() - given_});
    std::memcpy(block.data(), text_.data() + given_, size);
    given_ += size;
    const error_code code = size == 0 ? end_ : error_code();
    if (code) why_.set_client_message("the words of the bytes");
    boost::asio::post(
        executor_, [code, size, handler = std::move(handler)]() mutable { std::move(handler)(code, size); });
  }
  const diagnostics& why() const noexcept override { return why_; }

 private:
  boost::asio::any_io_executor executor_;
  std::string text_;
  std::size_t piece_;
  error_code end_;
  std::size_t given_ = 0;
  diagnostics why_;
};

}  // namespace dockline::test
