#pragma once

// A context that the caller has as an archive, on its way to a daemon.

#include "dockline/archive/archive_format.hpp"
#include "dockline/core/byte_source.hpp"

#include "core/spawn.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dockline::archive {

// Bytes as gzip, stored rather than compressed.
class gzip_storer;

class given_archive final : public byte_source {
 public:
  // Reads of `bytes` are made on `executor`.
  given_archive(asio::any_io_executor executor, std::shared_ptr<byte_source> bytes);
  ~given_archive() override;

  // Reads until it is clear what it is. Once, and before all else. Errors: those of the bytes.
  task<archive_format> look();

  // From now on gives it as gzip, which costs a copy and a checksum.
  void store_as_gzip();

  std::optional<std::uint64_t> size() const override;
  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override;
  const diagnostics& why() const noexcept override;
  packing_progress packed() const noexcept override;
  std::vector<std::string> take_warnings() override;

 private:
  task<std::size_t> read_stored(asio::mutable_buffer block);
  task<std::size_t> read_plain(asio::mutable_buffer block);
  std::size_t take_ready(asio::mutable_buffer block);

  const asio::any_io_executor executor_;
  const std::shared_ptr<byte_source> bytes_;
  // What was read of the bytes already, or made of them, and how much of that was given.
  std::string ready_;
  std::size_t given_ = 0;
  std::unique_ptr<gzip_storer> storer_;
  std::vector<char> plain_;
  bool over_ = false;      // the bytes came to their end
  bool finished_ = false;  // and so did what is made of them
};

}  // namespace dockline::archive
