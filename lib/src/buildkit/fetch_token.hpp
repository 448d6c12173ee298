#pragma once

// A token for a registry, from the server that gives it.

#include "dockline/engine/token_fetching.hpp"

#include "buildkit/token_messages.hpp"
#include "core/spawn.hpp"
#include "http/exchange.hpp"
#include "http/origins.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace dockline::buildkit {

class token_fetcher {
 public:
  // Everything on `executor`, one strand. `watch` gives each request its number and its observer.
  token_fetcher(asio::any_io_executor executor, const engine::token_fetching& how,
                std::function<void(http::request&)> watch);

  // In `timeout` altogether: by POST, and where the server does not know that by GET. What is configured as a token is the answer by itself.
  // Errors: errc::invalid_argument for a realm that is no URL, or that the credentials must not go to;
  // errc::token_refused; errc::unexpected_answer; those of http::origins. The words have no secret, whatever the server says.
  task<engine::registry_token> fetch(token_request wanted, engine::registry_auth auth, diagnostics& why);

 private:
  struct answer {
    answer() = default;

    int status = 0;
    std::string reason;
    std::string body;
  };

  task<answer> ask(http::url where, http::request what, std::chrono::steady_clock::time_point end,
                   diagnostics& why);

  http::origins web_;
  std::chrono::milliseconds timeout_;
  std::function<void(http::request&)> watch_;
};

}  // namespace dockline::buildkit
