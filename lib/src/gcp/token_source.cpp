#include "gcp/token_source.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/wipe.hpp"
#include "gcp/google_error.hpp"
#include "gcp/jwt.hpp"
#include "gcp/token_requests.hpp"

#include <utility>

namespace dockline::gcp {
namespace {

constexpr int attempts_of_server = 3;

// A token's server that was asked, and what it said.
struct asking {
  asking(std::shared_ptr<client_state> client, std::shared_ptr<const credential_source> whose)
      : state(std::move(client)), source(std::move(whose)) {}

  std::shared_ptr<client_state> state;
  std::shared_ptr<const credential_source> source;
};

// The answer of a token's server, or why it refuses.
task<std::string> ask(asking whom, api_call call, diagnostics& why) {
  auto answer = co_await ask_server(whom.state, std::move(call), why);
  if (!answer) co_return answer.error();
  if (answer->status() / 100 != 2) co_return explain_refusal(*whom.source, *answer, whom.state->now(), why);
  co_return std::move(answer->body);
}

// The token of an answer, which is not left in it.
result<access_token> take_token(std::string& body, const client_state& state, diagnostics& why) {
  auto read = read_token(body, state.now(), why);
  wipe(body);
  return read;
}

task<access_token> ask_for_token(asking whom, api_call call, diagnostics& why) {
  auto body = co_await ask(whom, std::move(call), why);
  if (!body) co_return body.error();
  co_return take_token(*body, *whom.state, why);
}

task<access_token> ask_to_impersonate(asking whom, api_call call, diagnostics& why) {
  auto body = co_await ask(whom, std::move(call), why);
  if (!body) co_return body.error();
  auto read = read_impersonated(*body, why);
  wipe(*body);
  co_return read;
}

task<access_token> fetch(asking whom, const service_account& who, const std::string& scope,
                         diagnostics& why) {
  const auto now = whom.state->now();
  const bool own = !whom.state->own_tokens_refused;
  auto made = own ? make_own_token(who, scope, now) : make_assertion(who, scope, now);
  if (!made) {
    why.set_client_message(whom.source->path + ": the private key cannot be signed with");
    co_return made.error();
  }
  if (own) {
    access_token token;
    token.value = std::move(*made);
    token.expires = now + jwt_lifetime;
    co_return token;
  }
  auto token = co_await ask_for_token(whom, exchange_assertion(who, *made), why);
  co_return token;
}

task<access_token> fetch(asking whom, authorized_user who, diagnostics& why) {
  // Where each refresh token is good for one answer, the file's is good for the first one.
  if (!whom.state->newer_refresh_token.empty()) who.refresh_token = whom.state->newer_refresh_token;
  auto body = co_await ask(whom, refresh_user(who), why);
  wipe(who.refresh_token);
  if (!body) co_return body.error();
  if (who.by_workforce) {
    if (auto next = read_next_refresh_token(*body); !next.empty()) {
      wipe(whom.state->newer_refresh_token);
      whom.state->newer_refresh_token = std::move(next);
    }
  }
  co_return take_token(*body, *whom.state, why);
}

task<access_token> fetch(asking whom, const external_account& who, const std::string& scope,
                         diagnostics& why) {
  auto subject = co_await fetch_subject(whom.state, who, why);
  if (!subject) co_return subject.error();
  const bool impersonated = !who.impersonation_url.empty();
  const std::string first_scope = impersonated ? std::string(cloud_platform_scope) : scope;
  auto token = co_await ask_for_token(whom, exchange_subject(who, *subject, first_scope), why);
  wipe(*subject);
  if (!token || !impersonated) co_return token;
  const std::vector<std::string> no_delegates;
  auto other = co_await ask_to_impersonate(
      whom, impersonate(who.impersonation_url, no_delegates, scope, who.lifetime, token->value), why);
  co_return other;
}

task<access_token> fetch(asking whom, const impersonation& who, const std::string& scope, diagnostics& why) {
  auto first = co_await fetch_token(whom.state, who.source, std::string(cloud_platform_scope), why);
  if (!first) co_return first.error();
  auto token = co_await ask_to_impersonate(
      whom, impersonate(who.url, who.delegates, scope, jwt_lifetime, first->value), why);
  co_return token;
}

task<access_token> fetch_from_metadata(asking whom, const std::string& scope, diagnostics& why) {
  auto& state = *whom.state;
  auto body = co_await read_metadata(whom.state, metadata_token(state.options.metadata_host, scope), why);
  if (!body) co_return body.error();
  if (!*body) {
    why.set_client_message("the metadata server has no token: this machine has no service account");
    co_return errc::token_refused;
  }
  co_return take_token(**body, state, why);
}

}  // namespace

task<api_answer> ask_server(std::shared_ptr<client_state> state, api_call call, diagnostics& why) {
  retry_schedule attempts = state->schedule();
  attempts.limit_attempts(attempts_of_server);
  for (;;) {
    auto answer = co_await state->send(call, why);
    const bool passing =
        answer ? answer->status() / 100 != 2 && may_pass(*answer) : is_transient(answer.error());
    if (!passing) {
      if (answer) why.clear();
      co_return answer;
    }
    const auto delay = attempts.failed(std::chrono::steady_clock::now());
    if (!delay) co_return answer;
    if (auto waited = co_await state->wait(*delay); !waited) co_return waited.error();
    why.clear();
  }
}

task<std::optional<std::string>> read_metadata(std::shared_ptr<client_state> state, api_call call,
                                               diagnostics& why) {
  auto answer = co_await ask_server(state, std::move(call), why);
  if (!answer) {
    if (answer.error() == condition::cancelled) co_return answer.error();
    why.set_client_message("the metadata server of this machine does not answer: " + why.client_message());
    co_return errc::no_credentials;
  }
  if (answer->head.find("Metadata-Flavor") != "Google") {
    why.set_client_message("what answers as the metadata server is none of Google's");
    co_return errc::no_credentials;
  }
  if (answer->status() == 404) co_return std::optional<std::string>();
  if (answer->status() != 200) {
    co_return explain_refusal(*state->who.source(), *answer, state->now(), why);
  }
  co_return std::optional<std::string>(std::move(answer->body));
}

task<access_token> fetch_token(std::shared_ptr<client_state> state,
                               std::shared_ptr<const credential_source> source, std::string scope,
                               diagnostics& why) {
  const asking whom(state, source);
  if (const auto* who = std::get_if<service_account>(&source->who)) {
    auto token = co_await fetch(whom, *who, scope, why);
    co_return token;
  }
  if (const auto* who = std::get_if<authorized_user>(&source->who)) {
    auto token = co_await fetch(whom, *who, why);
    co_return token;
  }
  if (const auto* who = std::get_if<external_account>(&source->who)) {
    auto token = co_await fetch(whom, *who, scope, why);
    co_return token;
  }
  if (const auto* who = std::get_if<impersonation>(&source->who)) {
    auto token = co_await fetch(whom, *who, scope, why);
    co_return token;
  }
  if (std::holds_alternative<metadata_server>(source->who)) {
    auto token = co_await fetch_from_metadata(whom, scope, why);
    co_return token;
  }
  co_return access_token();
}

}  // namespace dockline::gcp
