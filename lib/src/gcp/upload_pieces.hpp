#pragma once

// The bytes of an upload between their source and the network: one piece is sent while the other is filled.

#include "dockline/core/byte_source.hpp"
#include "dockline/gcp/storage.hpp"

#include "core/pending.hpp"
#include "core/spawn.hpp"
#include "gcp/crc32c.hpp"
#include "http/exchange.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dockline::gcp {

class upload_pieces {
 public:
  // `on_read` is called after each read, while none is under way.
  using read_sink = std::function<void(byte_source&)>;

  upload_pieces(asio::any_io_executor executor, std::size_t piece_size, read_sink on_read)
      : executor_(std::move(executor)), piece_size_(piece_size), on_read_(std::move(on_read)) {}

  // Takes another source from its start, and forgets what there is of the last one.
  void begin(std::shared_ptr<byte_source> source);

  // Waits for the next piece: its size, 0 at the end. Meanwhile the one after it is begun.
  // Errors: the source's, with its words.
  task<std::uint64_t> next(diagnostics& why);

  // The CRC32C of all bytes, once next() gave the end.
  std::string crc32c_text() const { return state_->crc.text(); }

  // The bytes from one position to another, as far as they are held.
  std::vector<http::body_part> bytes(std::uint64_t from, std::uint64_t to) const;
  // What lies below is not needed any more.
  void drop_below(std::uint64_t position);

 private:
  struct piece {
    piece() = default;

    std::unique_ptr<char[]> memory;
    std::size_t size = 0;
    std::uint64_t begin = 0;  // its position among all bytes
  };
  // What a read under way needs, also when nobody waits for it any more.
  struct filling {
    filling() = default;

    std::shared_ptr<byte_source> source;
    std::shared_ptr<piece> into;  // being filled
    crc32c crc;
    bool ended = false;
    read_sink on_read;
    std::string words;
  };

  static task<void> fill(std::shared_ptr<filling> state, std::size_t capacity);
  void fill_another();

  asio::any_io_executor executor_;
  std::size_t piece_size_;
  read_sink on_read_;
  std::shared_ptr<filling> state_;
  pending<void> filled_;
  std::deque<std::shared_ptr<piece>> held_;
  std::uint64_t end_ = 0;
};

}  // namespace dockline::gcp
