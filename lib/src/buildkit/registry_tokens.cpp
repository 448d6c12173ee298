#include "buildkit/registry_tokens.hpp"

#include "buildkit/fetch_token.hpp"
#include "buildkit/first_field.hpp"
#include "buildkit/token_authority.hpp"
#include "buildkit/token_messages.hpp"
#include "core/pending.hpp"

#include <boost/asio/steady_timer.hpp>

#include <protozero/pbf_writer.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::buildkit {
namespace {

using engine::registry_auth;
using grpc::status_code;

// CredentialsResponse.Username and .Secret.
constexpr protozero::pbf_tag_type username_field = 1;
constexpr protozero::pbf_tag_type secret_field = 2;

// What a helper gave may itself be a token of some minutes: Google's for its registries are good for five, of which
// BuildKit's own clients take ten seconds less.
constexpr std::chrono::seconds login_life{290};

std::string response(const registry_auth& auth) {
  // An identity token is told from a password by the name that is missing.
  const bool by_token = !auth.identity_token.empty();
  const std::string& secret = by_token ? auth.identity_token : auth.password;
  std::string message;
  message.reserve(auth.username.size() + secret.size() + 32);
  protozero::pbf_writer writer(message);
  if (!by_token && !auth.username.empty()) writer.add_string(username_field, auth.username);
  if (!secret.empty()) writer.add_string(secret_field, secret);
  return message;
}

// What was found, for the session's lifetime. Everything on the session's executor.
class found_logins {
 public:
  explicit found_logins(registry_logins logins)
      : on_warning_(std::move(logins.on_warning)),
        tokens_(std::move(logins.tokens)),
        watch_(std::move(logins.watch)) {
    for (auto& [registry, auth] : logins.known)
      found_.insert_or_assign(engine::registry_key(registry), login{std::move(auth), never});
    store_ = std::move(logins.store);
  }

  // Null for none. Cancelled, it takes nothing from the others who wait for the same registry.
  task<registry_auth> find(std::string host, asio::any_io_executor executor) {
    const std::string key = engine::registry_key(host);
    for (;;) {
      if (const auto known = found_.find(key); known != found_.end()) {
        if (clock::now() < known->second.until) co_return known->second.auth;
        found_.erase(known);
      }
      if (!store_) co_return registry_auth();
      if (co_await is_cancelled()) co_return aborted();
      if (const auto asked = asked_.find(key); asked != asked_.end()) {
        const auto over = asked->second;
        co_await over->async_wait(no_throw);
        continue;
      }
      const auto over = std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
      asked_.emplace(key, over);
      auto looked = co_await look_up(key, executor);
      asked_.erase(key);
      over->cancel();
      if (!looked) co_return looked.error();
      const registry_auth auth = std::move(*looked);
      found_.insert_or_assign(key, login{auth, clock::now() + login_life});
      co_return auth;
    }
  }

  bool fetches_tokens() const noexcept { return tokens_.by_client; }

  task<engine::registry_token> fetch_token(token_request wanted, asio::any_io_executor executor,
                                           diagnostics& why) {
    auto auth = co_await find(wanted.host, executor);
    if (!auth) co_return auth.error();
    if (!engine::has_secret(*auth)) {
      why.set_client_message("there are no credentials for " + wanted.host);
      co_return errc::no_credentials;
    }
    if (!fetcher_) fetcher_.emplace(executor, tokens_, watch_);
    auto token = co_await fetcher_->fetch(std::move(wanted), std::move(*auth), why);
    co_return token;
  }

 private:
  using clock = std::chrono::steady_clock;

  struct login {
    login(registry_auth whose, clock::time_point when) : auth(std::move(whose)), until(when) {}

    registry_auth auth;
    clock::time_point until;
  };
  static constexpr clock::time_point never = clock::time_point::max();

  task<registry_auth> look_up(std::string key, asio::any_io_executor executor) {
    diagnostics why;
    auto searching = pending<engine::found_credentials>::start(
        executor, nullptr, [&](completion_handler<engine::found_credentials> handler) {
          engine::start_find_credentials(executor, *store_, {key}, nullptr, std::move(handler));
        });
    auto found = co_await searching.get();
    if (!found) co_return found.error();
    if (on_warning_) {
      for (std::string& text : found->warnings) on_warning_(std::move(text));
    }
    const auto auth = found->auths.find(key);
    co_return auth == found->auths.end() ? registry_auth() : auth->second;
  }

  std::function<void(std::string)> on_warning_;
  engine::token_fetching tokens_;
  std::function<void(http::request&)> watch_;
  std::optional<token_fetcher> fetcher_;  // once one is wanted
  std::optional<engine::credential_store> store_;
  std::map<std::string, login> found_;                                // by registry_key()
  std::map<std::string, std::shared_ptr<asio::steady_timer>> asked_;  // cancelled when they are found
};

asio::awaitable<grpc::reply> credentials(std::shared_ptr<found_logins> logins, grpc::call made,
                                         std::string request) {
  const auto host = first_field(request);
  if (!host) co_return grpc::status(status_code::internal, "the request cannot be read");
  made.keep_secret();
  auto auth = co_await logins->find(*host, made.get_executor());
  if (!auth) co_return grpc::status_of(auth.error());
  // An empty answer would be that of somebody without credentials, whose tokens the daemon then would use for this
  // session as well. (buildx gives it.)
  if (!auth->registry_token.empty() && logins->fetches_tokens())
    co_return grpc::status(status_code::failed_precondition,
                           "for " + *host + " there is a token, and no password");
  co_return grpc::reply(response(*auth));
}

// BuildKit takes "unavailable" as: this client fetches none.
asio::awaitable<grpc::reply> authority(std::shared_ptr<found_logins> logins, grpc::call made,
                                       std::string request, bool to_verify) {
  const auto asked = read_authority_request(request, to_verify);
  if (!asked) co_return grpc::status(status_code::internal, "the request cannot be read");
  if (!logins->fetches_tokens())
    co_return grpc::status(status_code::unavailable, "this client fetches no tokens");
  auto auth = co_await logins->find(asked->host, made.get_executor());
  if (!auth) co_return grpc::status_of(auth.error());
  if (!engine::has_secret(*auth))
    co_return grpc::status(status_code::unavailable, "there are no credentials for " + asked->host);
  const auto key = token_authority::make(asked->host, *auth, asked->salt);
  const std::string shown = !key ? std::string() : to_verify ? key->sign(asked->payload) : key->public_key();
  // The daemon then fetches the tokens itself.
  if (shown.empty()) co_return grpc::status(status_code::unavailable, "this client has no Ed25519");
  co_return grpc::reply(encode_authority_response(shown));
}

asio::awaitable<grpc::reply> fetched_token(std::shared_ptr<found_logins> logins, grpc::call made,
                                           std::string request) {
  auto wanted = read_token_request(request);
  if (!wanted) co_return grpc::status(status_code::internal, "the request cannot be read");
  if (!logins->fetches_tokens())
    co_return grpc::status(status_code::unavailable, "this client fetches no tokens");
  made.keep_secret();
  diagnostics why;
  auto token = co_await logins->fetch_token(std::move(*wanted), made.get_executor(), why);
  if (!token) co_return grpc::status_of(token.error(), describe(token.error(), why));
  co_return grpc::reply(encode_token_response(*token));
}

}  // namespace

void offer_logins(grpc::service& to, registry_logins logins) {
  const auto shared = std::make_shared<found_logins>(std::move(logins));
  to.add("/moby.filesync.v1.Auth/Credentials", grpc::unary([shared](grpc::call made, std::string request) {
           return credentials(shared, std::move(made), std::move(request));
         }));
  to.add("/moby.filesync.v1.Auth/FetchToken", grpc::unary([shared](grpc::call made, std::string request) {
           return fetched_token(shared, std::move(made), std::move(request));
         }));
  for (const bool to_verify : {false, true}) {
    to.add(
        std::string("/moby.filesync.v1.Auth/") + (to_verify ? "VerifyTokenAuthority" : "GetTokenAuthority"),
        grpc::unary([shared, to_verify](grpc::call made, std::string request) {
          return authority(shared, std::move(made), std::move(request), to_verify);
        }));
  }
}

}  // namespace dockline::buildkit
