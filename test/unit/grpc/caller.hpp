#pragma once

// The other side of a server under test: a client in memory, whose bytes a test moves.

#include "grpc/server.hpp"
#include "grpc/wire.hpp"
#include "h2/peer.hpp"
#include "support/hand_fed_stream.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::grpc {

struct caller {
  // What came back of a call.
  struct answer {
    std::vector<std::string> messages;
    std::string status;   // "0", or "5 the message"
    std::string headers;  // all but the status's own
    std::string closed;   // "NO_ERROR" once the stream is over
  };

  explicit caller(service offered, server_options options = {}, h2::peer_limits own = {},
                  std::string early = {})
      : wire(std::make_shared<test::hand_fed_stream::state>(context.get_executor())),
        client(h2::role::client, own) {
    auto connection = std::make_unique<test::hand_fed_stream>(context.get_executor(), wire);
    serving.emplace(context.get_executor(), std::move(connection), std::move(early), std::move(offered),
                    options);
  }

  void run() {
    spawn<void>(context.get_executor(), &why,
                completion_handler<void>(
                    asio::bind_cancellation_slot(stop.slot(), [this](error_code code) { outcome = code; })),
                [this](diagnostics& words) { return serving->run(words); });
  }

  h2::stream_id begin(std::string path, const h2::fields& extra = {}) {
    h2::fields headers = {{":method", "POST"},
                          {":scheme", "http"},
                          {":path", std::move(path)},
                          {":authority", "localhost"},
                          {"content-type", "application/grpc"},
                          {"te", "trailers"}};
    for (const auto& one : extra) headers.push_back(one);
    return *client.submit_request(headers, false);
  }
  void send(h2::stream_id id, std::string_view message) {
    const auto head = message_head(static_cast<std::uint32_t>(message.size()));
    send_raw(id, std::string(head.data(), head.size()) + std::string(message));
  }
  void send_raw(h2::stream_id id, std::string_view bytes) {
    unsent[id] += bytes;
    push(id);
  }
  void finish(h2::stream_id id) {
    finishing[id] = true;
    push(id);
  }
  h2::stream_id call(std::string path, std::string_view message, const h2::fields& extra = {}) {
    const h2::stream_id id = begin(std::move(path), extra);
    send(id, message);
    finish(id);
    return id;
  }

  // Runs both sides until nothing happens any more. `cut`: how the bytes to the server are cut.
  void talk(std::size_t cut = std::string::npos) {
    for (bool more = true; more;) {
      more = false;
      context.restart();
      context.poll();
      const std::string back = wire->take();
      if (!back.empty()) {
        more = true;
        if (!client.receive(back)) broken = true;
        drain();
      }
      context.restart();
      more = context.poll() > 0 || more;
      std::string out;
      if (!client.collect(out, 1 << 20)) broken = true;
      drain();
      for (std::string_view rest = out; !rest.empty(); rest.remove_prefix(std::min(cut, rest.size()))) {
        more = true;
        wire->give(rest.substr(0, cut));
        context.restart();
        context.poll();
      }
    }
  }

  void drain() {
    while (const auto what = client.next()) {
      answer& one = answers[what->stream];
      switch (what->kind) {
        case h2::event_kind::headers:
        case h2::event_kind::trailers: {
          std::string number;
          std::string words;
          for (const auto& [name, value] : what->headers) {
            if (name == "grpc-status") {
              number = value;
            } else if (name == "grpc-message") {
              words = " " + decode_message(value);
            } else if (name != "content-type" && !(name == ":status" && value == "200")) {
              one.headers += name + "=" + value + " ";
            }
          }
          one.status += number + words;
          break;
        }
        case h2::event_kind::data: {
          received += what->bytes.size();
          std::string_view rest = what->bytes;
          auto& decoder = decoders.try_emplace(what->stream, std::size_t{64} << 20).first->second;
          while (!rest.empty()) {
            rest.remove_prefix(*decoder.eat(rest));
            if (decoder.done()) one.messages.push_back(decoder.take());
          }
          if (consumes) client.consumed(what->stream, what->bytes.size());
          break;
        }
        case h2::event_kind::room: push(what->stream); break;
        case h2::event_kind::closed: one.closed = h2::name_of(what->why); break;
        case h2::event_kind::goaway: goaway += h2::name_of(what->why) + " " + what->text; break;
        case h2::event_kind::settings:
        case h2::event_kind::end: break;
      }
    }
  }

  boost::asio::io_context context;
  std::shared_ptr<test::hand_fed_stream::state> wire;
  h2::peer client;
  std::optional<server> serving;
  diagnostics why;
  asio::cancellation_signal stop;
  std::optional<error_code> outcome;
  std::map<h2::stream_id, answer> answers;
  std::map<h2::stream_id, std::string> unsent;
  std::string goaway;
  std::size_t received = 0;
  bool consumes = true;
  bool broken = false;

 private:
  void push(h2::stream_id id) {
    std::string& rest = unsent[id];
    rest.erase(0, client.write(id, rest));
    if (rest.empty() && finishing[id]) client.finish(id);
  }

  std::map<h2::stream_id, bool> finishing;
  std::map<h2::stream_id, message_decoder> decoders;
};

}  // namespace dockline::grpc
