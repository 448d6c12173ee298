#pragma once

// Reads and writes of the erased interfaces as something that a coroutine waits for, without throwing.

#include "dockline/core/byte_source.hpp"
#include "dockline/core/stream.hpp"

#include "core/pending.hpp"
#include "core/spawn.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace dockline {

// One read: `auto [code, size] = co_await read_some(from, block);`, of a stream or of a byte_source. (A
// source that ends gives no bytes and no error, a stream asio::error::eof.)
template <class Source>
auto read_some(Source& from, asio::mutable_buffer block) {
  return asio::async_initiate<const decltype(no_throw), void(error_code, std::size_t)>(
      [&from, block](auto handler) {
        if constexpr (std::is_base_of_v<byte_source, Source>)
          from.reads_complete_on(asio::get_associated_executor(handler));
        from.async_read_some(block, transfer_handler(std::move(handler)));
      },
      no_throw);
}

// One read of a source, started now and awaited later. `keep` owns the source and the block until it is over.
inline pending<std::size_t> start_reading(asio::any_io_executor executor, byte_source& from,
                                          asio::mutable_buffer block, std::shared_ptr<void> keep) {
  from.reads_complete_on(executor);
  return pending<std::size_t>::start(
      std::move(executor), std::move(keep),
      [&](completion_handler<std::size_t> handler) { from.async_read_some(block, std::move(handler)); });
}

// One write: `auto [code, size] = co_await write_some(to, blocks);`
inline auto write_some(stream& to, std::span<const asio::const_buffer> blocks) {
  return asio::async_initiate<const decltype(no_throw), void(error_code, std::size_t)>(
      [&to, blocks](auto handler) { to.async_write_some(blocks, transfer_handler(std::move(handler))); },
      no_throw);
}

// Writes all of the buffers. `on_some` is called whenever some of it went out.
template <std::size_t Count, class OnSome>
task<void> write_all(stream& to, std::array<asio::const_buffer, Count> blocks, OnSome on_some) {
  std::size_t first = 0;
  while (first < Count) {
    const std::span<const asio::const_buffer> rest(blocks.data() + first, Count - first);
    auto [code, size] = co_await write_some(to, rest);
    if (code) co_return code;
    on_some();
    while (first < Count && size >= blocks[first].size()) size -= blocks[first++].size();
    if (first < Count) blocks[first] += size;
  }
  co_return result<void>();
}

inline task<void> write_all(stream& to, asio::const_buffer block) {
  std::array<asio::const_buffer, 1> blocks;
  blocks[0] = block;
  return write_all(to, blocks, [] {});
}

}  // namespace dockline
