#pragma once

// One side of an HTTP/2 connection as a value that eats bytes and gives events and bytes: a thin face on
// libnghttp2, which knows the frames, the compression of headers and the states of streams.

#include "dockline/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::h2 {

using stream_id = std::int32_t;

enum class role { client, server };

// Why a stream or a connection is ended, RFC 9113 section 7. What comes from the other side may hold other
// numbers.
enum class reason : std::uint32_t {
  no_error = 0,
  protocol_error = 1,
  internal_error = 2,
  flow_control_error = 3,
  settings_timeout = 4,
  stream_closed = 5,
  frame_size_error = 6,
  refused_stream = 7,
  cancel = 8,
  compression_error = 9,
  connect_error = 10,
  enhance_your_calm = 11,
  inadequate_security = 12,
  http_1_1_required = 13
};

// "PROTOCOL_ERROR"; "error 77" for a number that has no name.
std::string name_of(reason why);

struct field {
  field() = default;
  field(std::string own_name, std::string own_value)
      : name(std::move(own_name)), value(std::move(own_value)) {}

  std::string name;  // in lower case, and ":path" and its like first
  std::string value;

  bool operator==(const field&) const = default;
};
using fields = std::vector<field>;

// What the other side may make this one hold.
struct peer_limits {
  peer_limits() = default;

  std::uint32_t concurrent_streams = 128;  // that the other side may have open
  // Names, values and 32 bytes each. BuildKit sends the patterns of an ignore file and the sources of a COPY in headers.
  std::uint32_t header_list = 4 << 20;
  std::size_t all_header_lists = 16 << 20;    // of all streams that are open
  std::uint32_t stream_window = 256 * 1024;   // received of a stream and not consumed
  std::uint32_t connection_window = 1 << 20;  // of all streams together
  std::size_t send_buffer = 128 * 1024;       // written to a stream and not yet sent
};

enum class event_kind {
  settings,  // the other side's settings hold from now on
  headers,   // of a request or an answer, in `headers`
  data,      // in `bytes`, never empty
  trailers,  // in `headers`
  end,       // the other side has sent all of the stream
  room,      // a write that was cut short can go on
  closed,    // the stream is over, nothing of it follows; `why` is no_error unless it was reset
  goaway     // the other side ends the connection: streams above `stream` were not looked at; `why`, `text`
};

struct event {
  event() = default;

  event_kind kind = event_kind::settings;
  stream_id stream = 0;
  fields headers;
  std::string_view bytes;
  reason why = reason::no_error;
  std::string text;
};

// The order of things:
//
//     for (;;) {
//       failed = peer.receive(bytes);          // whatever came, however it is cut
//       while (auto what = peer.next()) ...    // which may submit, write, finish, reset, consume
//       peer.collect(output, limit);           // and send it
//     }
//
// All of this is bounded: what is received by the windows, which only consumed() opens; what is written by
// the buffer of each stream; answers to pings and settings by libnghttp2, which takes too many for an attack.
class peer {
 public:
  explicit peer(role own, peer_limits limits = {});
  ~peer();
  peer(peer&&) noexcept;
  peer& operator=(peer&&) noexcept;

  // Eats bytes of the other side. After an error there is nothing more to receive, but collect() still gives
  // the GOAWAY that tells the other side.
  // Errors: errc::malformed_http2, when it is noticed only while frames are sent, at the next call.
  result<void> receive(std::string_view bytes);

  // The next thing that happened, in order; empty when nothing did. Events point into the bytes that were
  // received last.
  std::optional<event> next();

  // Appends bytes that have to go to the other side, frame by frame, until there are `limit` of them in
  // `out`; the last frame may go beyond that by its size. Appends nothing when there is nothing.
  result<void> collect(std::string& out, std::size_t limit);

  // Whether the last collect() gave bytes of such a stream, which the caller then overwrites as well.
  bool gave_secrets() const noexcept;

  // Client: begins a stream. With `ends` it has no body, else write() and finish() follow.
  // Errors: errc::connection_lost when the connection takes no more streams.
  result<stream_id> submit_request(const fields& headers, bool ends);
  // Server: answers one, once. The same.
  void submit_response(stream_id stream, const fields& headers, bool ends);

  // Takes as many bytes into the buffer of the stream as it has room for, and says how many; when that are
  // not all, an event says when there is room again. A stream that is over takes none.
  std::size_t write(stream_id stream, std::string_view bytes);
  // After everything that was written: the end, or the trailers and the end.
  void finish(stream_id stream, fields trailers = {});
  // What is written to the stream from now on is overwritten in memory once it was given away.
  void keep_secret(stream_id stream);
  // Ends the stream at once; what was written and not sent is dropped.
  void reset(stream_id stream, reason why);
  // Bytes of data events were used: the other side may send as many more. What was not by the end of a
  // stream is taken to be.
  void consumed(stream_id stream, std::size_t bytes);

  // Ends the connection: tells the other side in the bytes of the next collect(), and receives nothing more.
  void terminate(reason why);

  // Whether nothing is to be received or sent any more.
  bool done() const;

  // What there is to say about the error.
  const std::string& words() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dockline::h2
