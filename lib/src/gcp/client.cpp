#include "dockline/gcp/client.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/compact_strand.hpp"
#include "core/encoding.hpp"
#include "gcp/client_state.hpp"
#include "gcp/google_error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <random>
#include <utility>

namespace dockline::gcp {
namespace {

// Answers that are held whole: resources and lists of them, words of refusals.
constexpr std::size_t longest_answer = std::size_t{16} << 20;
// What stands in a URL for the universe that is not known yet; no URL of ours has it otherwise.
constexpr std::string_view open_universe = "{universe}";

http::proxy_variables proxies_of(const client_options& options) {
  http::proxy_variables variables;
  variables.http = options.http_proxy;
  variables.https = options.https_proxy;
  variables.none = options.no_proxy;
  return variables;
}

http::tls_options tls_of(const client_options& options) {
  http::tls_options tls;
  tls.enabled = true;
  tls.ca_file = options.ca_file;
  return tls;
}

// "https://storage.example", also where the universe is not known yet.
std::string_view origin_of(std::string_view url) { return url.substr(0, url.find('/', url.find("//") + 2)); }

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

double random_part() {
  static thread_local std::minstd_rand generator{std::random_device()()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

client::client(boost::asio::any_io_executor executor, credentials who, client_options options)
    : state_(std::make_shared<client_state>(std::move(executor), std::move(who), std::move(options))) {}

boost::asio::any_io_executor client::get_executor() const { return state_->executor; }
const credentials& client::who() const noexcept { return state_->who; }
const client_options& client::options() const noexcept { return state_->options; }

client_state::client_state(asio::any_io_executor own, credentials asker, client_options choice)
    : options(std::move(choice)),
      who(std::move(asker)),
      executor(std::move(own)),
      strand(make_compact_strand(executor)),
      web(strand, proxies_of(options), tls_of(options)),
      now(&std::chrono::system_clock::now),
      random(&random_part) {}

std::string client_state::storage_url() const {
  if (!options.storage_endpoint.empty()) return without_slash(options.storage_endpoint);
  return base_of("storage");
}

std::string client_state::cloud_build_url(std::string_view region) const {
  if (!options.cloud_build_endpoint.empty()) return without_slash(options.cloud_build_endpoint);
  if (options.regional_endpoints && !region.empty() && region != "global")
    return base_of("cloudbuild." + std::string(region) + ".rep");
  return base_of("cloudbuild");
}

std::string client_state::resource_manager_url() const {
  if (!options.resource_manager_endpoint.empty()) return without_slash(options.resource_manager_endpoint);
  return base_of("cloudresourcemanager");
}

std::string client_state::base_of(std::string_view service) const {
  const bool asked_for = std::holds_alternative<metadata_server>(who.source()->who);
  return "https://" + std::string(service) + '.' + (asked_for ? std::string(open_universe) : who.universe());
}

task<open_answer> client_state::open(api_call call, diagnostics& why) {
  open_answer answer;
  if (const std::size_t place = call.url.find(open_universe); place != call.url.npos) {
    auto universe = co_await ask_universe(why);
    if (!universe) co_return universe.error();
    call.url.replace(place, open_universe.size(), *universe);
  }
  auto where = http::parse_url(call.url, why);
  if (!where) co_return where.error();
  answer.where = std::move(*where);
  http::request request;
  request.head.method = std::move(call.method);
  request.head.fields = std::move(call.fields);
  request.head.fields.push_back({"User-Agent", options.user_agent});
  request.head.fields.push_back({"Accept-Encoding", "identity"});
  request.body = std::move(call.body);
  request.parts = std::move(call.parts);
  request.observer = options.on_exchange;
  request.number = ++exchanges;
  http::deadlines limits;
  limits.connect = options.connect_timeout;
  limits.idle = options.idle_timeout;
  limits.total = call.total;
  auto over = co_await web.start(answer.where, std::move(request), limits, why);
  if (!over) co_return over.error();
  answer.over = std::move(*over);
  co_return std::move(answer);
}

task<open_answer> client_state::open_as(api_call call, diagnostics& why) {
  const std::string scope(cloud_platform_scope);
  const std::string& quota = options.quota_project.empty() ? who.quota_project() : options.quota_project;
  for (bool again = false;; again = true) {
    result<access_token> given = access_token();
    if (!call.anonymous) given = co_await token(scope, why);
    if (!given) co_return given.error();
    api_call attempt = call;
    if (!given->value.empty()) {
      attempt.with("Authorization", "Bearer " + given->value);
      if (!quota.empty()) attempt.with("x-goog-user-project", quota);
    }
    auto answer = co_await open(std::move(attempt), why);
    if (!answer || answer->status() != 401 || again || given->value.empty()) co_return answer;
    auto read = co_await finish(std::move(*answer), why);
    if (!read && read.error() == condition::cancelled) co_return read.error();
    refused(scope, given->value);
  }
}

task<api_answer> client_state::finish(open_answer answer, diagnostics& why) {
  auto body = co_await answer.over->read_all(longest_answer, why);
  if (!body) co_return body.error();
  api_answer whole;
  whole.head = answer.over->head();
  whole.body = std::move(*body);
  web.give_back(answer.where, *answer.over);
  co_return whole;
}

task<api_answer> client_state::send(api_call what, diagnostics& why) {
  auto answer = co_await open(std::move(what), why);
  if (!answer) co_return answer.error();
  auto whole = co_await finish(std::move(*answer), why);
  co_return whole;
}

task<api_answer> client_state::send_as(api_call what, diagnostics& why) {
  auto answer = co_await open_as(std::move(what), why);
  if (!answer) co_return answer.error();
  auto whole = co_await finish(std::move(*answer), why);
  co_return whole;
}

task<api_answer> client_state::call(api_call what, diagnostics& why) {
  const std::string_view origin = origin_of(what.url);
  retry_schedule attempts = schedule(answered.contains(origin));
  for (;;) {
    auto answer = co_await send_as(what, why);
    if (answer) answered.emplace(origin);
    if (answer && answer->status() / 100 == 2) {
      // What was said of attempts before this one is over.
      why.clear();
      co_return answer;
    }
    const error_code code = answer ? refusal(what, *answer, why) : answer.error();
    if (answer ? !is_transient(answer->status()) : !is_transient(code)) co_return code;
    const auto asked = answer ? read_retry_after(answer->head.find("Retry-After")) : std::chrono::seconds(0);
    const auto delay = attempts.failed(std::chrono::steady_clock::now(), code != errc::cannot_connect, asked);
    if (!delay) co_return code;
    if (auto waited = co_await wait(*delay); !waited) co_return waited.error();
  }
}

error_code client_state::refusal(const api_call& what, const api_answer& answer, diagnostics& why) {
  const error_code code = code_of_answer(answer.status(), answer.body, what.service, why);
  if (code == errc::denied && !what.permission.empty())
    why.set_client_message(why.client_message() + "; needed is " + what.permission);
  return code;
}

task<void> client_state::wait(std::chrono::milliseconds time) {
  asio::steady_timer timer(strand, time);
  (void)co_await timer.async_wait(no_throw);
  if (co_await is_cancelled()) co_return aborted();
  co_return result<void>();
}

}  // namespace dockline::gcp
