#include "grpc/server.hpp"

#include "core/encoding.hpp"
#include "core/pending.hpp"
#include "core/transfer.hpp"
#include "core/wipe.hpp"
#include "grpc/server_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <array>
#include <chrono>
#include <utility>

namespace dockline::grpc {
namespace {

constexpr std::size_t read_size = 64 * 1024;
// Written at once. Small enough for an answer not to wait long behind data that goes out before it.
constexpr std::size_t write_size = 64 * 1024;

// A deadline beyond this is none; no clock is asked to count so far.
constexpr std::chrono::hours longest_deadline{24 * 365};

constexpr std::string_view content_type = "application/grpc";

// Names of the protocol's own, which a handler has no use for.
bool is_reserved(std::string_view name) noexcept {
  return name.starts_with(':') || name.starts_with("grpc-") || name == "content-type" || name == "te" ||
         name == "user-agent";
}

std::string_view find(const h2::fields& headers, std::string_view name) noexcept {
  for (const h2::field& one : headers) {
    if (one.name == name) return one.value;
  }
  return {};
}

void add_to(metadata& into, const h2::field& one) {
  if (!one.name.ends_with("-bin")) return into.add(one.name, one.value);
  // Several values of one name may come joined by commas, which are no letters of base64.
  for (std::string_view rest = one.value;;) {
    const std::size_t comma = rest.find(',');
    if (auto bytes = decode_base64(rest.substr(0, comma))) into.add(one.name, std::move(*bytes));
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
}

h2::fields answer_headers() {
  h2::fields headers;
  headers.emplace_back(":status", "200");
  headers.emplace_back("content-type", std::string(content_type));
  return headers;
}

void add_status(h2::fields& to, const status& outcome) {
  to.emplace_back("grpc-status", std::to_string(static_cast<int>(outcome.code)));
  if (!outcome.message.empty()) to.emplace_back("grpc-message", encode_message(outcome.message));
}

asio::awaitable<status> guarded(handler does, call made) {
  try {
    status outcome = co_await does(std::move(made));
    co_return outcome;
  } catch (const std::exception& failure) {
    co_return status(status_code::internal, failure.what());
  }
}

task<void> run_call(std::shared_ptr<call_state> one, handler does) {
  status outcome = co_await guarded(std::move(does), call(one));
  if (const auto line = one->line.lock()) line->finish(*one, std::move(outcome));
  co_return result<void>();
}

}  // namespace

server_state::server_state(asio::any_io_executor where, std::unique_ptr<stream> own, std::string already_read,
                           service what, server_options bounds)
    : executor(std::move(where)),
      connection(std::move(own)),
      early(std::move(already_read)),
      offered(std::move(what)),
      options(bounds),
      peer(h2::role::server, bounds.limits),
      to_write_(executor),
      idle_(executor) {}

server_state::~server_state() { connection->close(); }

void server_state::close() noexcept {
  closed_ = true;
  connection->close();
  to_write_.notify();
}

void server_state::note(error_code code, std::string words) {
  if (failure_ || closed_) return;
  failure_ = code;
  words_ = std::move(words);
}

void server_state::fail(error_code code, std::string words) {
  note(code, std::move(words));
  close();
}

task<void> server_state::run(diagnostics& why) {
  const auto self = shared_from_this();
  auto writing = pending<void>::start(
      executor, self,
      [&](completion_handler<void> over) {
        spawn<void>(executor, nullptr, std::move(over), [self](diagnostics&) { return self->write_all(); });
      },
      [self](error_code code) noexcept { self->fail(code, {}); });
  (void)co_await read_all();
  const bool cancelled = co_await is_cancelled();
  // A peer that broke the rules is told so, if it cares to read it.
  asio::steady_timer farewell(executor);
  if (failure_ && !closed_ && !cancelled) {
    farewell.expires_after(options.farewell);
    farewell.async_wait([weak = weak_from_this()](error_code code) {
      const auto line = weak.lock();
      if (!code && line) line->close();
    });
  } else {
    close();
  }
  (void)co_await writing.get();
  farewell.cancel();
  close();
  // The handlers stop, but each in its own time; what they use has to stay until then.
  for (const auto& [stream, one] : std::map(calls)) one->end();
  while (!calls.empty()) co_await idle_.wait();
  if (cancelled) co_return aborted();
  if (!failure_) co_return result<void>();
  why.set_client_message(words_);
  co_return failure_;
}

task<void> server_state::read_all() {
  const auto block = std::make_unique_for_overwrite<char[]>(read_size);
  std::string_view fresh = early;
  for (;;) {
    if (!fresh.empty()) {
      const auto received = peer.receive(fresh);
      handle_events();
      to_write_.notify();
      if (!received) {
        note(received.error(), peer.words());
        co_return failure_;
      }
    }
    auto [code, size] = co_await read_some(*connection, asio::buffer(block.get(), read_size));
    if (closed_ || co_await is_cancelled()) co_return aborted();
    fresh = std::string_view(block.get(), size);
    if (!code) continue;
    const std::string reason = connection->why();
    fail(errc::connection_lost,
         "the other side closed the connection" + (!reason.empty()            ? ": " + reason
                                                   : code == asio::error::eof ? ""
                                                                              : " (" + code.message() + ")"));
    co_return failure_;
  }
}

task<void> server_state::write_all() {
  std::string block;
  // It may hold secrets: it does not grow, which would leave a copy behind.
  block.reserve(2 * write_size);
  while (!closed_ && !co_await is_cancelled()) {
    block.clear();
    const auto collected = peer.collect(block, write_size);
    const bool secrets = peer.gave_secrets();
    handle_events();
    const bool quiet = block.empty();
    if (!quiet) {
      auto written = co_await dockline::write_all(*connection, asio::buffer(block));
      if (secrets) wipe(block);
      if (!written) {
        fail(errc::connection_lost,
             "the other side closed the connection (" + written.error().message() + ")");
        co_return written;
      }
    }
    if (!collected) {
      fail(collected.error(), peer.words());
      co_return collected;
    }
    if (quiet && !closed_) co_await to_write_.wait();
  }
  co_return result<void>();
}

void server_state::handle_events() {
  while (auto what = peer.next()) handle(*what);
}

void server_state::handle(h2::event& what) {
  const auto found = calls.find(what.stream);
  const auto one = found == calls.end() ? nullptr : found->second;
  switch (what.kind) {
    case h2::event_kind::headers: begin(what.stream, what.headers); break;
    case h2::event_kind::data:
      if (one && !one->finished) {
        one->incoming.append(what.bytes);
        one->readable.notify();
      } else {
        peer.consumed(what.stream, what.bytes.size());
      }
      break;
    case h2::event_kind::end:
      if (one) {
        one->all_received = true;
        one->readable.notify();
      }
      break;
    case h2::event_kind::room:
      if (one) one->writable.notify();
      break;
    case h2::event_kind::closed:
      if (one) one->end();
      break;
    case h2::event_kind::goaway:
      if (what.why != h2::reason::no_error) {
        fail(errc::connection_lost, "the other side ended the connection: " + h2::name_of(what.why) +
                                        (what.text.empty() ? "" : ", " + to_utf8(what.text)));
      }
      break;
    case h2::event_kind::settings:
    case h2::event_kind::trailers: break;
  }
}

void server_state::refuse(h2::stream_id stream, const status& why) {
  h2::fields headers = answer_headers();
  add_status(headers, why);
  peer.submit_response(stream, headers, true);
}

// A stream is a call if it says so, in gRPC's way.
void server_state::begin(h2::stream_id stream, const h2::fields& headers) {
  if (find(headers, ":method") != "POST" || !find(headers, "content-type").starts_with(content_type)) {
    h2::fields answer;
    answer.emplace_back(":status", "415");
    peer.submit_response(stream, answer, true);
    return;
  }
  const std::string_view path = find(headers, ":path");
  const handler* does = offered.find(path);
  if (does == nullptr)
    return refuse(stream, status(status_code::unimplemented, "unknown method " + to_utf8(path)));
  const std::string_view encoding = find(headers, "grpc-encoding");
  if (!encoding.empty() && encoding != "identity")
    return refuse(stream, status(status_code::unimplemented, "compressed messages are not understood"));
  // Handlers that were cancelled are over a little later than their streams; a peer that opens and resets
  // without end has to try again, which this reason tells every client of gRPC.
  if (calls.size() >= 2 * std::size_t{options.limits.concurrent_streams})
    return peer.reset(stream, h2::reason::refused_stream);
  std::optional<std::chrono::nanoseconds> timeout;
  if (const std::string_view text = find(headers, "grpc-timeout"); !text.empty()) {
    timeout = parse_timeout(text);
    if (!timeout) return refuse(stream, status(status_code::internal, "malformed grpc-timeout"));
  }
  auto one = std::make_shared<call_state>(weak_from_this(), executor, stream, options.longest_message);
  one->path = path;
  for (const h2::field& field : headers) {
    if (!is_reserved(field.name)) add_to(one->request, field);
  }
  if (timeout && *timeout < longest_deadline) {
    one->deadline.expires_after(*timeout);
    one->deadline.async_wait([weak = std::weak_ptr(one)](error_code code) {
      const auto late = weak.lock();
      if (code || !late || late->finished) return;
      late->out_of_time = true;
      late->end();
    });
  }
  calls.emplace(stream, one);
  start(std::move(one), *does);
}

void server_state::start(std::shared_ptr<call_state> one, handler does) {
  const auto slot = one->stop.slot();
  spawn<void>(executor, nullptr,
              completion_handler<void>(asio::bind_cancellation_slot(slot,
                                                                    [one](error_code code) {
                                                                      // Only what could not even begin comes
                                                                      // here without having finished its
                                                                      // call.
                                                                      const auto line = one->line.lock();
                                                                      if (code && line)
                                                                        line->finish(*one, status_of(code));
                                                                    })),
              [one, does = std::move(does)](diagnostics&) { return run_call(one, does); });
}

void server_state::send_headers(call_state& one) {
  if (!std::exchange(one.headers_sent, true)) peer.submit_response(one.stream, answer_headers(), false);
  if (one.secret) peer.keep_secret(one.stream);
}

std::size_t server_state::send(call_state& one, std::string_view bytes) {
  const std::size_t taken = peer.write(one.stream, bytes);
  if (taken > 0) to_write_.notify();
  return taken;
}

void server_state::consume(call_state& one, std::size_t bytes) {
  peer.consumed(one.stream, bytes);
  to_write_.notify();
}

void server_state::finish(call_state& one, status outcome) {
  if (std::exchange(one.finished, true)) return;
  one.deadline.cancel();
  peer.consumed(one.stream, one.incoming.size());
  one.incoming.clear();
  if (one.out_of_time) outcome = status(status_code::deadline_exceeded, "the deadline has passed");
  if (!one.broken.ok()) outcome = one.broken;
  h2::fields trailers;
  add_status(trailers, outcome);
  for (h2::field& extra : one.trailers) trailers.push_back(std::move(extra));
  if (one.inside_message) {
    peer.reset(one.stream, h2::reason::cancel);
  } else if (one.headers_sent) {
    peer.finish(one.stream, std::move(trailers));
  } else {
    h2::fields headers = answer_headers();
    for (h2::field& extra : trailers) headers.push_back(std::move(extra));
    peer.submit_response(one.stream, headers, true);
  }
  calls.erase(one.stream);
  to_write_.notify();
  if (calls.empty()) idle_.notify();
}

server::server(asio::any_io_executor executor, std::unique_ptr<stream> connection, std::string early,
               service offered, server_options options)
    : state_(std::make_shared<server_state>(std::move(executor), std::move(connection), std::move(early),
                                            std::move(offered), options)) {}

task<void> server::run(diagnostics& why) {
  const auto state = state_;
  auto over = co_await state->run(why);
  co_return over;
}

void server::close() noexcept { state_->close(); }

}  // namespace dockline::grpc
