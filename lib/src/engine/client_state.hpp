#pragma once

#include "dockline/engine/client.hpp"

#include "engine/endpoint.hpp"
#include "http/client.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace dockline::engine {

// After each block of a streamed body: the bytes sent so far, and whether they were all.
using sent_sink = std::function<void(std::uint64_t bytes, bool complete)>;

struct answer {
  answer() = default;

  http::response_head head;
  std::string body;
};

// What the copies of a client share. Everything below happens on `strand`.
struct client_state : std::enable_shared_from_this<client_state> {
  client_state(asio::any_io_executor executor, connector connect, client_options own);

  client_options options;
  connector connect;               // the caller's, else null
  asio::any_io_executor executor;  // the user's
  asio::any_io_executor strand;
  std::optional<http::client> connections;  // once the address has been read
  std::string authority;                    // what the Host field says then; empty: the daemon has no name
  std::optional<api_version> version;       // once it is negotiated
  std::uint64_t exchanges = 0;              // how many requests were made

  // Gives a request its number, and whoever looks at the requests of this client.
  void watch(http::request& made);

  // How connections are made; sets `authority`. Errors: errc::invalid_address; errc::invalid_argument for a file of TLS.
  result<http::dialer> find_way(diagnostics& why);

  // Asks the daemon whether it is there.
  task<answer> ping(diagnostics& why);

  // Settles, once, which version to speak: the option's, else the newest that both this library and a daemon
  // that offers `offered` know. Errors: errc::invalid_argument for the option, errc::version_too_old.
  result<api_version> settle(std::string_view offered, diagnostics& why);

  // The version to speak, asked for when it is not settled yet: once, however many operations need it; the
  // one that is cancelled takes nothing from the others. Errors: those of settle() and of a request.
  task<api_version> negotiate(diagnostics& why);

  // After a refusal of the version that a request was sent with: settles one that the daemon offers. False
  // when it offers none, or when the options name the version. Errors: errc::version_too_old.
  result<bool> renegotiate(error_code refusal, diagnostics& why);

  // Sends and returns when the head of the answer is there, whatever its status.
  task<std::unique_ptr<http::exchange>> send(endpoint what, sent_sink on_sent, diagnostics& why);

  // The same; a request that the daemon refuses for its API version is sent again with one that it has, once
  // and if it has no streamed body. A status of 400 or more is an error with the daemon's words. So is one
  // that no request of ours is answered with: a redirection, an upgrade that was not asked for.
  task<std::unique_ptr<http::exchange>> open(endpoint what, sent_sink on_sent, diagnostics& why);

  // Sends, reads the whole answer, and turns a status of 400 or more into an error.
  task<answer> call(endpoint what, diagnostics& why);

  // Reads a refusal's body to its end and returns its code.
  asio::awaitable<error_code> refusal(http::exchange& over, diagnostics& why);

 private:
  struct negotiation;
  std::shared_ptr<negotiation> negotiating_;  // while somebody waits for it

  void start_negotiation();
  task<void> ask_version(diagnostics& why);
  task<std::unique_ptr<http::exchange>> open_once(endpoint what, sent_sink on_sent, diagnostics& why);
};

}  // namespace dockline::engine
