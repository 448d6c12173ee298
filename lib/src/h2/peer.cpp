#include "h2/peer.hpp"

#include "core/byte_queue.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <deque>
#include <map>
#include <new>
#include <utility>

namespace dockline::h2 {
namespace {

constexpr std::size_t frame_head_size = 9;
// What a name and a value count for besides their letters, RFC 9113 section 6.5.2.
constexpr std::size_t field_overhead = 32;
// What a frame holds at least, RFC 9113 section 4.2, and most clients never send more of.
constexpr std::size_t usual_frame = 16384;

// A stream that is open on either side.
struct open_stream {
  open_stream() = default;
  open_stream(const open_stream&) = delete;
  open_stream& operator=(const open_stream&) = delete;
  ~open_stream() {
    if (secret) outgoing.wipe();
  }

  fields incoming;  // of the header block that is being received
  std::size_t incoming_size = 0;
  std::size_t headers_size = 0;  // of all header blocks
  bool announced = false;        // an event told of it
  bool answered = false;         // client: the final headers are there
  std::size_t unconsumed = 0;

  byte_queue outgoing;
  bool has_provider = false;  // libnghttp2 asks for its data
  bool deferred = false;      // and was told to wait
  bool starved = false;       // a write was cut short
  bool finished = false;
  bool secret = false;  // what is written has to be overwritten
  fields trailers;
};

std::vector<nghttp2_nv> name_values(const fields& headers) {
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(headers.size());
  const auto bytes = [](const std::string& text) {
    // libnghttp2 copies what it is given here and changes nothing.
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  for (const field& one : headers) {
    pairs.push_back(
        {bytes(one.name), bytes(one.value), one.name.size(), one.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return pairs;
}

template <class T, void (*Release)(T*)>
struct releasing {
  void operator()(T* what) const noexcept { Release(what); }
};
using session_ptr = std::unique_ptr<nghttp2_session, releasing<nghttp2_session, nghttp2_session_del>>;
using callbacks_ptr = std::unique_ptr<nghttp2_session_callbacks,
                                      releasing<nghttp2_session_callbacks, nghttp2_session_callbacks_del>>;
using option_ptr = std::unique_ptr<nghttp2_option, releasing<nghttp2_option, nghttp2_option_del>>;

// Out of memory is the one thing that these can fail with.
void need(int outcome) {
  if (outcome != 0) throw std::bad_alloc();
}

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

std::string name_of(reason why) {
  switch (why) {
    case reason::no_error: return "NO_ERROR";
    case reason::protocol_error: return "PROTOCOL_ERROR";
    case reason::internal_error: return "INTERNAL_ERROR";
    case reason::flow_control_error: return "FLOW_CONTROL_ERROR";
    case reason::settings_timeout: return "SETTINGS_TIMEOUT";
    case reason::stream_closed: return "STREAM_CLOSED";
    case reason::frame_size_error: return "FRAME_SIZE_ERROR";
    case reason::refused_stream: return "REFUSED_STREAM";
    case reason::cancel: return "CANCEL";
    case reason::compression_error: return "COMPRESSION_ERROR";
    case reason::connect_error: return "CONNECT_ERROR";
    case reason::enhance_your_calm: return "ENHANCE_YOUR_CALM";
    case reason::inadequate_security: return "INADEQUATE_SECURITY";
    case reason::http_1_1_required: return "HTTP_1_1_REQUIRED";
  }
  return "error " + std::to_string(static_cast<std::uint32_t>(why));
}

struct peer::state {
  state(role which, peer_limits bounds) : own(which), limits(bounds) {
    nghttp2_session_callbacks* callbacks = nullptr;
    need(nghttp2_session_callbacks_new(&callbacks));
    const callbacks_ptr owned_callbacks(callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, &on_frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &send_data);

    nghttp2_option* option = nullptr;
    need(nghttp2_option_new(&option));
    const option_ptr owned_option(option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    // It refuses eight frames of them otherwise, and to send more than 64 KiB.
    nghttp2_option_set_max_send_header_block_length(option, limits.header_list);
    nghttp2_option_set_max_continuations(option, limits.header_list / usual_frame + 1);

    nghttp2_session* made = nullptr;
    need(own == role::server ? nghttp2_session_server_new2(&made, callbacks, this, option)
                             : nghttp2_session_client_new2(&made, callbacks, this, option));
    session.reset(made);

    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, own == role::server ? limits.concurrent_streams : 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_list},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    // The last one is a client's to say.
    need(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings, own == role::client ? 4 : 3));
    need(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                               static_cast<std::int32_t>(limits.connection_window)));
  }

  static state& of(void* self) { return *static_cast<state*>(self); }

  open_stream* find(stream_id id) {
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : &found->second;
  }

  event& add(event_kind kind, stream_id stream) {
    events.emplace_back();
    events.back().kind = kind;
    events.back().stream = stream;
    return events.back();
  }

  error_code fail(std::string text) {
    if (!failure) {
      failure = errc::malformed_http2;
      words = std::move(text);
    }
    return failure;
  }

  // --- What libnghttp2 tells.

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) of(self).streams.try_emplace(frame->hd.stream_id);
    if (open_stream* stream = of(self).find(frame->hd.stream_id); stream != nullptr) {
      stream->incoming.clear();
      stream->incoming_size = 0;
    }
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) {
    open_stream* stream = of(self).find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const std::size_t size = name_size + value_size + field_overhead;
    stream->incoming_size += size;
    stream->headers_size += size;
    of(self).headers_size += size;
    // Resets the stream; the connection goes on.
    if (stream->incoming_size > of(self).limits.header_list ||
        of(self).headers_size > of(self).limits.all_header_lists)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    stream->incoming.emplace_back(std::string(text_of(name, name_size)),
                                  std::string(text_of(value, value_size)));
    return 0;
  }

  static int on_frame_received(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    const stream_id id = frame->hd.stream_id;
    switch (frame->hd.type) {
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) of(self).add(event_kind::settings, 0);
        break;
      case NGHTTP2_HEADERS:
        of(self).headers_received(id);
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) of(self).end_received(id);
        break;
      case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) of(self).end_received(id);
        break;
      case NGHTTP2_GOAWAY: {
        event& what = of(self).add(event_kind::goaway, frame->goaway.last_stream_id);
        what.why = static_cast<reason>(frame->goaway.error_code);
        what.text = text_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
        break;
      }
      default: break;
    }
    return 0;
  }

  void headers_received(stream_id id) {
    open_stream* stream = find(id);
    if (stream == nullptr) return;
    fields headers = std::exchange(stream->incoming, {});
    const bool interim = own == role::client && !stream->answered && !headers.empty() &&
                         headers.front().name == ":status" && headers.front().value.starts_with('1');
    if (interim) return;
    const bool first = own == role::client ? !stream->answered : !stream->announced;
    stream->announced = true;
    stream->answered = true;
    add(first ? event_kind::headers : event_kind::trailers, id).headers = std::move(headers);
  }

  void end_received(stream_id id) {
    if (const open_stream* stream = find(id); stream != nullptr && stream->announced)
      add(event_kind::end, id);
  }

  static int on_data(nghttp2_session* session, std::uint8_t, stream_id id, const std::uint8_t* bytes,
                     std::size_t size, void* self) {
    open_stream* stream = of(self).find(id);
    if (stream == nullptr || !stream->announced) {
      nghttp2_session_consume(session, id, size);
      return 0;
    }
    stream->unconsumed += size;
    of(self).add(event_kind::data, id).bytes = text_of(bytes, size);
    return 0;
  }

  static int on_closed(nghttp2_session* session, stream_id id, std::uint32_t code, void* self) {
    const auto found = of(self).streams.find(id);
    if (found == of(self).streams.end()) return 0;
    const bool announced = found->second.announced;
    const std::size_t rest = found->second.unconsumed;
    of(self).headers_size -= found->second.headers_size;
    of(self).streams.erase(found);
    // The window of the connection is everybody's.
    if (rest > 0) nghttp2_session_consume(session, id, rest);
    if (announced) of(self).add(event_kind::closed, id).why = static_cast<reason>(code);
    return 0;
  }

  // --- What libnghttp2 asks for.

  static ssize_t provide(nghttp2_session* session, stream_id id, std::uint8_t*, std::size_t length,
                         std::uint32_t* flags, nghttp2_data_source*, void* self) {
    open_stream* stream = of(self).find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t count = std::min(length, stream->outgoing.size());
    if (count == 0 && !stream->finished) {
      stream->deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream->finished && count == stream->outgoing.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto pairs = name_values(stream->trailers);
        if (nghttp2_submit_trailer(session, id, pairs.data(), pairs.size()) != 0)
          return NGHTTP2_ERR_CALLBACK_FAILURE;
      }
    }
    return static_cast<ssize_t>(count);
  }

  // A frame of data goes from the stream's buffer to the output without a stop in between.
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source*, void* self) {
    if (of(self).output->size() >= of(self).output_limit) return NGHTTP2_ERR_WOULDBLOCK;
    open_stream* stream = of(self).find(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    of(self).output->append(text_of(head, frame_head_size));
    of(self).output->append(stream->outgoing.front().substr(0, size));
    stream->outgoing.drop(size);
    if (stream->secret) {
      of(self).secrets_given = true;
      if (stream->outgoing.empty()) stream->outgoing.wipe();
    }
    // Not at every byte: a writer that is woken should find it worth its while.
    if (stream->starved && stream->outgoing.size() <= of(self).limits.send_buffer / 2) {
      stream->starved = false;
      of(self).add(event_kind::room, frame->hd.stream_id);
    }
    return 0;
  }

  static int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
        !of(self).terminated) {
      const auto text = text_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
      of(self).fail("the other side breaks the rules of HTTP/2: " +
                    name_of(static_cast<reason>(frame->goaway.error_code)) +
                    (text.empty() ? "" : ", " + std::string(text)));
    }
    // A server that has said all tells a client that has not to stop, RFC 9113 section 8.1.
    const bool last = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS
                          ? (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0
                          : false;
    if (last && of(self).own == role::server &&
        nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
      return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  // A request that waited for its turn until the other side wanted no more.
  static int on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* self) {
    const bool request = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST &&
                         of(self).own == role::client;
    // It got no answer, and so no headers.
    if (request && of(self).streams.erase(frame->hd.stream_id) > 0)
      of(self).add(event_kind::closed, frame->hd.stream_id).why = reason::refused_stream;
    return 0;
  }

  void resume(stream_id id, open_stream& stream) {
    if (std::exchange(stream.deferred, false)) nghttp2_session_resume_data(session.get(), id);
  }

  role own;
  peer_limits limits;
  std::map<stream_id, open_stream> streams;
  std::size_t headers_size = 0;  // of those
  std::deque<event> events;
  std::string* output = nullptr;  // while collect() runs
  std::size_t output_limit = 0;
  bool secrets_given = false;
  bool terminated = false;
  error_code failure;
  std::string words;
  // Last, so that nothing of the above is gone while it is.
  session_ptr session;
};

peer::peer(role own, peer_limits limits) : state_(std::make_unique<state>(own, limits)) {}
peer::~peer() = default;
peer::peer(peer&&) noexcept = default;
peer& peer::operator=(peer&&) noexcept = default;

result<void> peer::receive(std::string_view bytes) {
  if (state_->failure) return state_->failure;
  if (state_->terminated || bytes.empty()) return {};
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t eaten = nghttp2_session_mem_recv(state_->session.get(), begin, bytes.size());
  if (eaten == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (eaten == NGHTTP2_ERR_BAD_CLIENT_MAGIC) return state_->fail("the other side does not speak HTTP/2");
  if (eaten < 0) {
    return state_->fail(std::string("the other side breaks the rules of HTTP/2: ") +
                        nghttp2_strerror(static_cast<int>(eaten)));
  }
  return {};
}

std::optional<event> peer::next() {
  if (state_->events.empty()) return std::nullopt;
  event first = std::move(state_->events.front());
  state_->events.pop_front();
  return first;
}

result<void> peer::collect(std::string& out, std::size_t limit) {
  state_->output = &out;
  state_->output_limit = limit;
  state_->secrets_given = false;
  while (out.size() < limit) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(state_->session.get(), &bytes);
    if (size == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
    if (size < 0) {
      return state_->fail(std::string("HTTP/2 cannot go on: ") + nghttp2_strerror(static_cast<int>(size)));
    }
    if (size == 0) break;
    out.append(text_of(bytes, static_cast<std::size_t>(size)));
  }
  if (state_->failure) return state_->failure;
  return {};
}

result<stream_id> peer::submit_request(const fields& headers, bool ends) {
  if (nghttp2_session_check_request_allowed(state_->session.get()) == 0) return errc::connection_lost;
  const auto pairs = name_values(headers);
  nghttp2_data_provider provider{};
  provider.read_callback = &state::provide;
  const stream_id id = nghttp2_submit_request(state_->session.get(), nullptr, pairs.data(), pairs.size(),
                                              ends ? nullptr : &provider, nullptr);
  if (id == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (id < 0) return errc::connection_lost;
  open_stream& stream = state_->streams[id];
  stream.announced = true;
  stream.has_provider = !ends;
  return id;
}

void peer::submit_response(stream_id id, const fields& headers, bool ends) {
  open_stream* stream = state_->find(id);
  if (stream == nullptr || stream->has_provider || stream->finished) return;
  const auto pairs = name_values(headers);
  nghttp2_data_provider provider{};
  provider.read_callback = &state::provide;
  stream->has_provider = !ends;
  stream->finished = ends;
  need(nghttp2_submit_response(state_->session.get(), id, pairs.data(), pairs.size(),
                               ends ? nullptr : &provider));
}

std::size_t peer::write(stream_id id, std::string_view bytes) {
  open_stream* stream = state_->find(id);
  if (stream == nullptr || !stream->has_provider || stream->finished) return 0;
  const std::size_t used = stream->outgoing.size();
  const std::size_t room = used < state_->limits.send_buffer ? state_->limits.send_buffer - used : 0;
  const std::size_t count = std::min(room, bytes.size());
  stream->outgoing.append(bytes.substr(0, count));
  stream->starved = count < bytes.size();
  if (count > 0) state_->resume(id, *stream);
  return count;
}

void peer::finish(stream_id id, fields trailers) {
  open_stream* stream = state_->find(id);
  if (stream == nullptr || !stream->has_provider || stream->finished) return;
  stream->finished = true;
  stream->trailers = std::move(trailers);
  state_->resume(id, *stream);
}

void peer::keep_secret(stream_id id) {
  open_stream* stream = state_->find(id);
  if (stream == nullptr) return;
  stream->secret = true;
  stream->outgoing.reserve(state_->limits.send_buffer);
}

bool peer::gave_secrets() const noexcept { return state_->secrets_given; }

void peer::reset(stream_id id, reason why) {
  if (state_->find(id) == nullptr) return;
  need(nghttp2_submit_rst_stream(state_->session.get(), NGHTTP2_FLAG_NONE, id,
                                 static_cast<std::uint32_t>(why)));
}

void peer::consumed(stream_id id, std::size_t bytes) {
  open_stream* stream = state_->find(id);
  if (stream == nullptr) return;
  const std::size_t count = std::min(bytes, stream->unconsumed);
  stream->unconsumed -= count;
  if (count > 0) nghttp2_session_consume(state_->session.get(), id, count);
}

void peer::terminate(reason why) {
  if (std::exchange(state_->terminated, true)) return;
  nghttp2_session_terminate_session(state_->session.get(), static_cast<std::uint32_t>(why));
}

bool peer::done() const {
  return state_->failure || (nghttp2_session_want_read(state_->session.get()) == 0 &&
                             nghttp2_session_want_write(state_->session.get()) == 0);
}

const std::string& peer::words() const noexcept { return state_->words; }

}  // namespace dockline::h2
