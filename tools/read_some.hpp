#pragma once

#include <dockline/core/byte_source.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <utility>

namespace dockline::tool {

// One read of a source, without throwing: `auto [code, size] = co_await read_some(*source, block);`
inline auto read_some(byte_source& from, boost::asio::mutable_buffer block) {
  constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
  return boost::asio::async_initiate<decltype(token), void(error_code, std::size_t)>(
      [&from, block](auto handler) { from.async_read_some(block, transfer_handler(std::move(handler))); },
      token);
}

}  // namespace dockline::tool
