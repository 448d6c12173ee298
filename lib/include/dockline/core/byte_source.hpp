#pragma once

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dockline {

class diagnostics;

// Completion of a read or write: the error, and how many bytes were transferred.
using transfer_handler = boost::asio::any_completion_handler<void(error_code, std::size_t)>;

// How far a source has come in making its bytes.
struct packing_progress {
  std::uint64_t entries = 0;  // files, directories and links so far; 0 for a source that has none
  std::uint64_t bytes = 0;    // before compression
};

// Bytes that are pulled by whoever needs them: a build context, a file, a buffer. One block at a time, so
// that a slow consumer slows the producer and nothing piles up in between.
class DOCKLINE_API byte_source {
 public:
  virtual ~byte_source() = default;

  // How many bytes there will be, when that is known before they are made. Empty means that the consumer has
  // to frame what it gets (a chunked body).
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }

  // Fills `block` from its start.
  //
  // Completion: with at least one byte, or with 0 bytes and no error at the end of the bytes, and again at
  // each call after that. Never before this function returns. On an error no bytes count.
  // Signature: void(error_code, std::size_t), on the handler's associated executor.
  // Lifetimes: the memory behind `block` and the source stay until completion; one read at a time.
  // Cancellation: by the handler's slot, any type; the source can then only be destroyed.
  // Errors: the source's own; `why()` has the words.
  virtual void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) = 0;

  // Before a read: its handler runs on `executor`. A source that makes its bytes on threads of its own is done
  // with the handler and its memory before that executor's context is gone. The library's operations call it.
  virtual void reads_complete_on(const boost::asio::any_io_executor& /*executor*/) {}

  // What there is to say about the error that the last read completed with.
  virtual const diagnostics& why() const noexcept = 0;

  // To be asked between reads: how far it has come, and what a person should know of (a socket in the tree
  // that was skipped), each text once.
  virtual packing_progress packed() const noexcept { return {}; }
  // The texts that are new since the last call.
  virtual std::vector<std::string> take_warnings() { return {}; }
};

}  // namespace dockline
