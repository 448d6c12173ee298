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

  // Where reads and writes complete, for handlers without an executor of their own.
  virtual boost::asio::any_io_executor get_executor() = 0;

  // Reads at least one byte into `block`.
  //
  // Completion: with the bytes that were read, or at the end of the bytes with asio::error::eof. Never before
  // this function returns.
  // Signature: void(error_code, std::size_t), on the handler's associated executor.
  // Lifetimes: the memory behind `block` and the stream stay until completion; one read at a time, beside one
  // write.
  // Cancellation: by the handler's slot, any type; the stream may then be closed only.
  // Errors: those of the transport; why() may have words.
  virtual void async_read_some(boost::asio::mutable_buffer block, transfer_handler handler) = 0;

  // Writes the buffers, one after the other, from the start.
  //
  // Completion: when at least one byte is written. Never before this function returns.
  // Signature: void(error_code, std::size_t), on the handler's associated executor.
  // Lifetimes: the sequence is copied, the memory that its buffers point to and the stream stay until
  // completion; one write at a time, beside one read.
  // Cancellation: by the handler's slot, any type; the stream may then be closed only.
  // Errors: those of the transport.
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
