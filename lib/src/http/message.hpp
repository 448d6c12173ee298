#pragma once

// The text of HTTP/1.1 messages, without I/O. Beast does the parsing.

#include "dockline/core/error.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline {
class diagnostics;
}

namespace dockline::http {

struct header_field {
  std::string name;
  std::string value;
};

struct request_head {
  request_head() = default;

  std::string method = "GET";
  std::string target = "/";  // path and query, percent-encoded
  std::vector<header_field> fields;
};

// How the bytes behind the head are framed: their number, or chunks.
struct body_framing {
  body_framing() = default;

  std::optional<std::uint64_t> length = 0;  // empty: chunked
};

// The head as it goes onto the wire, with `Host`, the fields, and those of the framing. Requests without a
// body carry no framing unless their method usually has one.
// Errors: errc::invalid_argument for a method, target or field that would break out of its line.
result<std::string> encode_head(const request_head& head, const body_framing& framing, diagnostics& why);

// What stands before a chunk of `size` bytes; behind it stands "\r\n", and after all "0\r\n\r\n".
std::string chunk_head(std::size_t size);

struct response_head {
  response_head() = default;

  int status = 0;
  std::string reason;
  std::vector<header_field> fields;

  // The value of the first field of that name (case does not matter), else empty.
  std::string_view find(std::string_view name) const noexcept;
};

// Bounds on what a peer may make us hold.
struct decoder_limits {
  decoder_limits() = default;

  // Bytes of the status line and the fields together; also of a chunk's size with its extensions, and of a
  // trailer.
  std::uint32_t head = 64 * 1024;
  // Interim answers (1xx) before the real one.
  int interim = 16;
  // The answer to a HEAD: it ends behind its head, whatever length that tells.
  bool no_body = false;
};

// Eats the bytes of one answer and says how far it is.
class response_decoder {
 public:
  explicit response_decoder(decoder_limits bounds = {});
  response_decoder(response_decoder&&) noexcept;
  response_decoder& operator=(response_decoder&&) noexcept;
  ~response_decoder();

  // Eats from the start of `bytes` and appends what belongs to the body to `body`. Returns how many bytes
  // were eaten: the rest has to be offered again, with more behind it, or, when done(), belongs to somebody
  // else. Errors: errc::malformed_http, errc::message_too_long.
  result<std::size_t> eat(boost::asio::const_buffer bytes, std::string& body);

  // The peer sends no more: completes a body that only the end delimits.
  // Errors: errc::connection_lost when something is missing.
  result<void> eat_end();

  bool head_done() const noexcept;
  bool done() const noexcept;
  // Once head_done().
  const response_head& head() const noexcept { return head_; }
  // Once done(): whether the connection may serve another request.
  bool keep_alive() const noexcept;

 private:
  struct parser;
  void take_head();

  decoder_limits bounds_;
  std::unique_ptr<parser> parser_;
  response_head head_;
  bool has_head_ = false;
  int interim_ = 0;
  std::size_t head_size_ = 0;  // of the head that is not yet complete, as far as it is eaten
};

}  // namespace dockline::http
