#include "buildkit/fetch_token.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/wipe.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace dockline::buildkit {
namespace {

// Tokens are some kilobytes.
constexpr std::size_t longest_answer = std::size_t{1} << 20;
// Of a refusal's words.
constexpr std::size_t longest_words = 300;

// None for plain http: the proxy would see the credentials.
http::proxy_variables proxies_of(const engine::token_fetching& how) {
  http::proxy_variables variables;
  variables.https = how.https_proxy;
  variables.none = how.no_proxy;
  return variables;
}

http::tls_options tls_of(const engine::token_fetching& how) {
  http::tls_options tls;
  tls.enabled = true;
  tls.ca_file = how.ca_file;
  return tls;
}

// What a server says of a refusal: {"details": "..."}, {"errors": [{"message": ...}]}, {"error_description": ...}.
std::string words_of(std::string_view body) {
  const auto parsed = json::parse(body);
  if (!parsed) return {};
  const json::value root = parsed->root();
  std::string_view words = root.find("error_description").string_or_empty();
  for (const char* name : {"details", "message", "error"})
    if (words.empty()) words = root.find(name).string_or_empty();
  for (const json::value one : root.find("errors").elements())
    if (words.empty()) words = one.find("message").string_or_empty();
  return to_utf8(words.substr(0, longest_words));
}

// As a server may that shows the form that it does not like.
bool repeats_a_secret(std::string_view words, const engine::registry_auth& auth) {
  return std::ranges::any_of(
      std::array{&auth.password, &auth.identity_token}, [&](const std::string* secret) {
        return !secret->empty() &&
               (words.find(*secret) != words.npos || words.find(escape_query(*secret)) != words.npos);
      });
}

}  // namespace

token_fetcher::token_fetcher(asio::any_io_executor executor, const engine::token_fetching& how,
                             std::function<void(http::request&)> watch)
    : web_(std::move(executor), proxies_of(how), tls_of(how)),
      timeout_(how.timeout),
      watch_(std::move(watch)) {}

task<token_fetcher::answer> token_fetcher::ask(http::url where, http::request what,
                                               std::chrono::steady_clock::time_point end, diagnostics& why) {
  what.head.fields.push_back({"Accept", "application/json"});
  what.head.fields.push_back({"Accept-Encoding", "identity"});
  what.head.fields.push_back({"User-Agent", "dockline"});
  if (watch_) watch_(what);
  http::deadlines limits;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  limits.connect = std::max(left, std::chrono::milliseconds(1));
  limits.total = limits.connect;
  auto over = co_await web_.start(where, std::move(what), limits, why);
  if (!over) co_return over.error();
  auto body = co_await (*over)->read_all(longest_answer, why);
  if (!body) co_return body.error();
  answer seen;
  seen.status = (*over)->head().status;
  seen.reason = (*over)->head().reason;
  seen.body = std::move(*body);
  // The connection is not kept: a POST on one that the server closed meanwhile would be lost.
  co_return std::move(seen);
}

task<engine::registry_token> token_fetcher::fetch(token_request wanted, engine::registry_auth auth,
                                                  diagnostics& why) {
  if (!auth.registry_token.empty()) {
    engine::registry_token given;
    given.value = auth.registry_token;
    co_return given;
  }
  auto where = http::parse_url(wanted.challenge.realm, why);
  if (!where) co_return where.error();
  const std::string server = where->origin();
  if (!engine::may_have_credentials(wanted.challenge.realm, wanted.host)) {
    why.set_client_message(
        "the credentials for " + wanted.host + " do not go to " + server +
        ", which is not reached by https; BUILDKIT_NO_CLIENT_TOKEN=1 leaves it to the daemon");
    co_return errc::invalid_argument;
  }

  const auto end = std::chrono::steady_clock::now() + timeout_;
  http::request post;
  post.head.method = "POST";
  post.head.fields.push_back({"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"});
  post.body = engine::token_form(wanted.challenge, auth, wanted.client_id);
  auto answered = co_await ask(*where, std::move(post), end, why);
  if (answered && engine::wants_get(answered->status, auth)) {
    auto with_query = http::parse_url(engine::token_url(wanted.challenge), why);
    if (!with_query) co_return with_query.error();
    http::request get;
    get.head.method = "GET";
    get.head.fields.push_back({"Authorization", engine::basic_credentials(auth)});
    answered = co_await ask(std::move(*with_query), std::move(get), end, why);
  }
  if (!answered) co_return answered.error();
  if (answered->status / 100 != 2) {
    std::string words = words_of(answered->body);
    if (repeats_a_secret(words, auth)) words.clear();
    why.set_client_message(server + " gives no token for " + wanted.host + ": " +
                           std::to_string(answered->status) +
                           (answered->reason.empty() || repeats_a_secret(answered->reason, auth)
                                ? ""
                                : " " + to_utf8(answered->reason)) +
                           (words.empty() ? "" : ": " + words));
    co_return errc::token_refused;
  }
  auto token = engine::read_registry_token(answered->body, why);
  wipe(answered->body);
  if (!token) why.set_client_message(server + ": " + why.client_message());
  co_return token;
}

}  // namespace dockline::buildkit
