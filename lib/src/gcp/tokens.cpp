// Access tokens: kept, renewed early, and asked for once however many operations want one.

#include "dockline/core/diagnostics.hpp"

#include "core/wipe.hpp"
#include "gcp/client_state.hpp"
#include "gcp/token_requests.hpp"
#include "gcp/token_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// After a renewal in the background that failed: the token in use is still good.
constexpr auto pause_after_failure = 10s;

}  // namespace

// One request for all operations that want the token at once.
struct client_state::renewal {
  renewal(const asio::any_io_executor& executor, bool alone)
      : over(executor, asio::steady_timer::time_point::max()), background(alone) {}

  asio::steady_timer over;  // cancelled when it is
  asio::cancellation_signal cancel;
  std::optional<error_code> outcome;
  access_token token;
  diagnostics why;
  int waiting = 0;
  bool background;  // goes on, though nobody waits
};

void client_state::start_renewal(const std::string& scope, bool background) {
  auto shared = std::make_shared<renewal>(strand, background);
  tokens_[scope].renewing = shared;
  auto over = [self = shared_from_this(), shared, scope](error_code code, access_token fresh) {
    shared->outcome = code;
    slot& place = self->tokens_[scope];
    if (place.renewing == shared) {
      place.renewing.reset();
      if (!code) {
        if (place.kept) wipe(place.kept->token.value);
        place.kept.emplace();
        place.kept->token = fresh;
        place.kept->since = self->now();
      } else if (shared->background) {
        place.not_before = self->now() + pause_after_failure;
      }
    }
    shared->token = std::move(fresh);
    shared->over.cancel();
  };
  spawn<access_token>(strand, &shared->why,
                      completion_handler<access_token>(asio::bind_cancellation_slot(
                          shared->cancel.slot(), asio::bind_executor(strand, std::move(over)))),
                      [self = shared_from_this(), scope](diagnostics& words) {
                        return fetch_token(self, self->who.source(), scope, words);
                      });
}

task<access_token> client_state::await_renewal(std::shared_ptr<renewal> shared, diagnostics& why) {
  ++shared->waiting;
  while (!shared->outcome) {
    (void)co_await shared->over.async_wait(no_throw);
    if (!co_await is_cancelled()) continue;
    --shared->waiting;
    if (shared->waiting == 0 && !shared->background && !shared->outcome) {
      for (auto& [scope, place] : tokens_) {
        if (place.renewing == shared) place.renewing.reset();
      }
      shared->cancel.emit(asio::cancellation_type::terminal);
    }
    co_return aborted();
  }
  if (*shared->outcome) {
    why = shared->why;
    co_return *shared->outcome;
  }
  // However old it is: it is the newest one that there is.
  co_return shared->token;
}

task<access_token> client_state::token(std::string scope, diagnostics& why) {
  if (std::holds_alternative<nobody>(who.source()->who)) co_return access_token();
  slot& place = tokens_[scope];
  const token_age age = place.kept ? age_of(*place.kept, now()) : token_age::expired;
  switch (age) {
    case token_age::fresh: co_return place.kept->token;
    case token_age::aging:
      if (!place.renewing && now() >= place.not_before) start_renewal(scope, true);
      co_return place.kept->token;
    case token_age::expired: break;
  }
  if (!place.renewing) start_renewal(scope, false);
  auto fresh = co_await await_renewal(place.renewing, why);
  co_return fresh;
}

void client_state::refused(const std::string& scope, const std::string& token) {
  slot& place = tokens_[scope];
  // Another operation may have found that out before.
  if (!place.kept || place.kept->token.value != token) return;
  // A token that was not asked for but made here is refused by services that do not know the key yet, and by
  // those that want one of the usual kind.
  if (std::holds_alternative<service_account>(who.source()->who)) own_tokens_refused = true;
  place.kept.reset();
}

void start_access_token(client google, std::string scope, diagnostics* why,
                        completion_handler<access_token> handler) {
  auto state = google.state();
  spawn<access_token>(
      state->strand, why, std::move(handler),
      [state, scope = std::move(scope)](diagnostics& words) { return state->token(scope, words); });
}

}  // namespace dockline::gcp
