#pragma once

#include "dockline/core/byte_source.hpp"
#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>

#include <span>
#include <string>

namespace dockline {

// A connected stream of bytes in both directions, whatever carries it: a Unix socket, TCP, TLS, the pipes of
// an ssh process, or something of the caller's own.
class DOCKLINE_API stream {
 public:
  virtual ~stream() = default;

  virtual boost::asio::any_io_executor get_executor() = 0;

  // Reads at least one byte into `block`, or completes with asio::error::eof.
  // Signature: void(error_code, std::size_t). One read at a time, beside one write.
  // Cancellation: by the handler's slot, any type; the stream may then be closed only.
  virtual void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) = 0;

  // Writes the buffers, one after the other, from the start; completes when at least one byte is written. The
  // sequence is copied, the memory that its buffers point to stays until completion.
  // Signature and cancellation as above. One write at a time, beside one read.
  virtual void async_write_some(std::span<const boost::asio::const_buffer> blocks,
                                transfer_handler handler) = 0;

  // Whether, as far as can be told without waiting, the peer has neither sent anything that was not read yet
  // nor closed. Asked before a kept connection is used again.
  virtual bool quiet() { return true; }

  // Tells the peer that nothing more will be written, where the transport can say that; reading goes on.
  virtual error_code shutdown_send() = 0;

  // What there is to say about the error that the last read ended with, for people: what ssh printed, why a
  // certificate is refused. Empty where the code says it all.
  virtual std::string why() const { return {}; }

  // Ends the connection at once. Operations that wait complete with operation_aborted.
  virtual void close() noexcept = 0;
};

}  // namespace dockline
