// Which version of the API a client speaks: asked for once, and again when the daemon refuses it.

#include "dockline/core/diagnostics.hpp"

#include "engine/client_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace dockline::engine {

result<api_version> client_state::settle(std::string_view offered, diagnostics& why) {
  if (version) return *version;
  if (!options.api_version.empty()) {
    version = parse_api_version(options.api_version);
    if (version) return *version;
    why.set_client_message("API version \"" + options.api_version + "\": not of the form 1.41");
    return errc::invalid_argument;
  }
  // A daemon from before 1.25 does not say; what it speaks is then the oldest that this library does.
  const auto theirs = parse_api_version(offered).value_or(oldest_api);
  if (theirs < oldest_api) {
    why.set_client_message("the daemon speaks API " + to_string(theirs) + ", this library " +
                           to_string(oldest_api) + " and newer");
    return errc::version_too_old;
  }
  version = std::min(theirs, newest_api);
  return *version;
}

// One ping for all operations that need the version at once.
struct client_state::negotiation {
  explicit negotiation(const asio::any_io_executor& executor)
      : over(executor, asio::steady_timer::time_point::max()) {}

  asio::steady_timer over;  // cancelled when it is
  asio::cancellation_signal cancel;
  std::optional<error_code> outcome;
  diagnostics why;
  int waiting = 0;
};

task<void> client_state::ask_version(diagnostics& why) {
  auto pong = co_await ping(why);
  if (!pong) co_return pong.error();
  auto settled = settle(pong->head.find("Api-Version"), why);
  if (!settled) co_return settled.error();
  co_return result<void>();
}

void client_state::start_negotiation() {
  auto shared = std::make_shared<negotiation>(strand);
  negotiating_ = shared;
  auto over = [self = shared_from_this(), shared](error_code code) {
    shared->outcome = code;
    if (self->negotiating_ == shared) self->negotiating_.reset();
    shared->over.cancel();
  };
  spawn<void>(strand, &shared->why,
              completion_handler<void>(asio::bind_cancellation_slot(
                  shared->cancel.slot(), asio::bind_executor(strand, std::move(over)))),
              [self = shared_from_this()](diagnostics& words) { return self->ask_version(words); });
}

task<api_version> client_state::negotiate(diagnostics& why) {
  if (version || !options.api_version.empty()) co_return settle({}, why);
  if (!negotiating_) start_negotiation();
  auto shared = negotiating_;
  ++shared->waiting;
  while (!shared->outcome) {
    (void)co_await shared->over.async_wait(no_throw);
    if (!co_await is_cancelled()) continue;
    --shared->waiting;
    if (shared->waiting == 0) {
      if (negotiating_ == shared) negotiating_.reset();
      shared->cancel.emit(asio::cancellation_type::terminal);
    }
    co_return aborted();
  }
  if (*shared->outcome) {
    why = shared->why;
    co_return *shared->outcome;
  }
  co_return *version;
}

result<bool> client_state::renegotiate(error_code refusal, diagnostics& why) {
  if (refusal != errc::bad_request || !options.api_version.empty()) return false;
  const auto offer = parse_version_offer(why.server_message());
  if (!offer) return false;
  const bool too_new = offer->is_oldest && offer->version > newest_api;
  const bool too_old = !offer->is_oldest && offer->version < oldest_api;
  if (too_new || too_old) {
    why.set_client_message("the daemon speaks API " + to_string(offer->version) +
                           (too_new ? " and newer" : " and older") + ", this library " +
                           to_string(oldest_api) + " to " + to_string(newest_api));
    return errc::version_too_old;
  }
  version = std::min(offer->version, newest_api);
  return true;
}

}  // namespace dockline::engine
