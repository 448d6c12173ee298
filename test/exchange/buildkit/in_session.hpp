#pragma once

// A session with a scripted daemon: the library's side of it, and a daemon that asks.

#include "buildkit/session.hpp"
#include "exchange/conversation.hpp"
#include "grpc/wire.hpp"
#include "h2/peer.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::test {

inline constexpr auto check_path = "/grpc.health.v1.Health/Check";

inline const std::string session_answer =
    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

// The daemon's end of a session, for a script: as a gRPC client over the connection that it was given.
class asking_daemon {
 public:
  struct answer {
    std::vector<std::string> messages;
    std::string status;  // "0", or "5 the words"
    std::string closed;  // why, once it is over
  };

  explicit asking_daemon(peer& connection, h2::peer_limits limits = {})
      : connection_(connection), self_(h2::role::client, limits) {}

  h2::stream_id begin(std::string path, const h2::fields& more = {}) {
    h2::fields headers = {{":method", "POST"},        {":scheme", "http"},
                          {":path", std::move(path)}, {":authority", "localhost"},
                          {"te", "trailers"},         {"content-type", "application/grpc"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return *self_.submit_request(headers, false);
  }
  void write(h2::stream_id id, std::string_view message) {
    const auto head = grpc::message_head(static_cast<std::uint32_t>(message.size()));
    self_.write(id, std::string(head.data(), head.size()) + std::string(message));
  }
  void finish(h2::stream_id id) { self_.finish(id); }
  void reset(h2::stream_id id) { self_.reset(id, h2::reason::cancel); }
  h2::stream_id call(std::string path, std::string_view message) {
    const auto id = begin(std::move(path));
    write(id, message);
    finish(id);
    return id;
  }

  void flush() {
    std::string out;
    (void)self_.collect(out, std::size_t{16} << 20);
    drain();
    connection_.send(out);
  }
  // Reads once and answers. False when the client has closed.
  bool step() {
    flush();
    const std::string bytes = connection_.take_raw();
    if (bytes.empty()) return false;
    received += bytes.size();
    (void)self_.receive(bytes);
    drain();
    flush();
    return true;
  }
  // Until the call is over.
  const answer& wait(h2::stream_id id) {
    while (answers[id].closed.empty()) {
      if (!step()) throw script_broken{"the client closed in the middle of a call"};
    }
    return answers[id];
  }
  const answer& ask(std::string path, std::string_view message) {
    return wait(call(std::move(path), message));
  }

  std::map<h2::stream_id, answer> answers;
  std::size_t received = 0;
  bool keeps_messages = true;

 private:
  void drain() {
    while (const auto what = self_.next()) {
      answer& one = answers[what->stream];
      switch (what->kind) {
        case h2::event_kind::headers:
        case h2::event_kind::trailers:
          for (const auto& [name, value] : what->headers) {
            if (name == "grpc-status") one.status = value + one.status;
            if (name == "grpc-message") one.status += " " + grpc::decode_message(value);
          }
          break;
        case h2::event_kind::data: {
          auto& decoder = decoders_.try_emplace(what->stream, std::size_t{64} << 20).first->second;
          for (std::string_view rest = what->bytes; !rest.empty();) {
            rest.remove_prefix(*decoder.eat(rest));
            if (!decoder.done()) continue;
            std::string message = decoder.take();
            if (keeps_messages) one.messages.push_back(std::move(message));
          }
          self_.consumed(what->stream, what->bytes.size());
          break;
        }
        case h2::event_kind::closed: one.closed = h2::name_of(what->why); break;
        case h2::event_kind::settings:
        case h2::event_kind::end:
        case h2::event_kind::room:
        case h2::event_kind::goaway: break;
      }
    }
  }

  peer& connection_;
  h2::peer self_;
  std::map<h2::stream_id, grpc::message_decoder> decoders_;
};

// Opens a session and waits for its end.
class in_session : public conversation {
 public:
  using conversation::conversation;

  struct outcome_of_session {
    error_code opened;
    error_code over;
    diagnostics why;
    int completions = 0;

    std::string words() const { return describe(over, why); }
  };

  // Both ends within ten seconds.
  outcome_of_session run_session(buildkit::session_options options = {}) {
    outcome_of_session seen;
    begin_session(std::move(options), seen);
    run();
    CHECK(seen.completions == 1);
    return seen;
  }

  void begin_session(buildkit::session_options options, outcome_of_session& seen) {
    spawn<void>(executor(), &seen.why,
                completion_handler<void>(asio::bind_cancellation_slot(cancel.slot(),
                                                                      [&seen](error_code code) {
                                                                        ++seen.completions;
                                                                        seen.over = code;
                                                                      })),
                [this, &seen, options = std::move(options)](diagnostics& why) mutable {
                  return open_and_wait(std::move(options), seen, why);
                });
  }

  asio::any_io_executor executor() { return context.get_executor(); }

  std::unique_ptr<buildkit::session> session;

 private:
  task<void> open_and_wait(buildkit::session_options options, outcome_of_session& seen, diagnostics& why) {
    auto made = co_await buildkit::session::open(daemon, std::move(options), why);
    if (!made) {
      seen.opened = made.error();
      co_return made.error();
    }
    session = std::move(*made);
    auto over = co_await session->wait(why);
    co_return over;
  }
};

}  // namespace dockline::test
