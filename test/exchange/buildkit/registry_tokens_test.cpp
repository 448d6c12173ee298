// Tokens for registries that a session fetches, from servers that give them, refuse, or do neither.

#include "buildkit/registry_tokens.hpp"

#include "core/encoding.hpp"
#include "support/certificates.hpp"
#include "support/fake_daemon.hpp"
#include "support/relay.hpp"
#include "unit/archive/scratch_tree.hpp"
#include "unit/grpc/caller.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dockline::test {
namespace {

using namespace std::chrono_literals;

constexpr auto auth_service = "/moby.filesync.v1.Auth/";
constexpr auto given_answer =
    R"({"access_token":"given","expires_in":300,"issued_at":"2026-01-01T00:00:00Z"})";

// What a server of tokens answers, request by request, and what it was asked.
class token_server {
 public:
  explicit token_server(std::vector<std::string> answers, std::optional<relay_tls> tls = std::nullopt)
      : answers_(std::move(answers)),
        web_([this](peer& client) { serve(client); }),
        port_("127.0.0.1", web_.host(), std::move(tls)) {}

  std::string realm(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_.port()) + "/token";
  }
  std::vector<seen_request> requests() {
    std::vector<seen_request> all;
    for (auto& connection : web_.wait(0))
      for (auto& one : connection.requests) all.push_back(std::move(one));
    return all;
  }
  // Within ten seconds, after which the script ends by itself.
  bool saw_the_client_close() {
    const auto all = web_.wait(1);
    return !all.empty() && all[0].client_closed;
  }
  std::size_t accepted() const noexcept { return web_.accepted(); }

 private:
  void serve(peer& client) {
    client.read_request();
    const std::string answer = client.number() < answers_.size() ? answers_[client.number()] : std::string();
    if (answer.empty()) return client.wait_for_close();
    client.send(answer);
  }

  const std::vector<std::string> answers_;
  fake_daemon web_;
  relay port_;
};

// A daemon in a session with somebody who knows ann's password for localhost:5000.
class asking {
 public:
  explicit asking(engine::token_fetching how = {}, std::optional<engine::registry_auth> other = std::nullopt)
      : daemon_(offered(std::move(how), std::move(other))) {
    daemon_.run();
  }

  h2::stream_id begin(const char* method, std::string_view request) {
    const auto id = daemon_.call(std::string(auth_service) + method, request);
    daemon_.talk();
    return id;
  }
  const grpc::caller::answer& end(h2::stream_id id) {
    const auto& answer = daemon_.answers[id];
    const auto longest = std::chrono::steady_clock::now() + patience;
    while (answer.closed.empty() && std::chrono::steady_clock::now() < longest) {
      daemon_.talk();
      std::this_thread::sleep_for(1ms);
    }
    return answer;
  }
  const grpc::caller::answer& ask(const char* method, std::string_view request) {
    return end(begin(method, request));
  }
  // "0" and the fields of the response, or the status and its words.
  std::string token(const std::string& realm) {
    const auto& answer = ask("FetchToken", token_request(realm));
    if (answer.messages.empty()) return answer.status;
    std::string text = answer.status;
    protozero::pbf_reader fields(answer.messages[0]);
    while (fields.next()) {
      text += " " + std::to_string(fields.tag()) + "=";
      text += fields.wire_type() == protozero::pbf_wire_type::varint ? std::to_string(fields.get_int64())
                                                                     : fields.get_string();
    }
    return text;
  }
  // The bytes of the response's only field.
  std::string bytes(const char* method, std::string_view request) {
    const auto& answer = ask(method, request);
    if (answer.messages.empty()) return answer.status;
    protozero::pbf_reader fields(answer.messages[0]);
    return fields.next() ? fields.get_string() : std::string();
  }
  grpc::caller& daemon() { return daemon_; }

  static std::string token_request(const std::string& realm) {
    std::string message;
    protozero::pbf_writer writer(message);
    writer.add_string(1, "buildkit-client");
    writer.add_string(2, "localhost:5000");
    writer.add_string(3, realm);
    writer.add_string(4, "registry.example");
    writer.add_string(5, "repository:app:pull");
    return message;
  }

 private:
  static grpc::service offered(engine::token_fetching how, std::optional<engine::registry_auth> other) {
    buildkit::registry_logins logins;
    logins.known["localhost:5000"] = other ? *other : engine::registry_auth("ann", "s3cret");
    logins.tokens = std::move(how);
    grpc::service services;
    buildkit::offer_logins(services, std::move(logins));
    return services;
  }

  grpc::caller daemon_;
};

std::string authority_request(const std::string& host, const std::string& salt,
                              const std::optional<std::string>& payload = std::nullopt) {
  std::string message;
  protozero::pbf_writer writer(message);
  writer.add_string(1, host);
  if (payload) writer.add_bytes(2, *payload);
  writer.add_bytes(payload ? 3 : 2, salt);
  return message;
}

const unsigned char* octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// As NaCl's sign.Open.
bool is_signed_by(const std::string& key, const std::string& message, const std::string& text) {
  constexpr std::size_t signature = 64;
  if (message.size() != signature + text.size() || message.substr(signature) != text) return false;
  EVP_PKEY* const known = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(key), key.size());
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool right = known != nullptr &&
                     EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, known) == 1 &&
                     EVP_DigestVerify(context, octets(message), signature, octets(text), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(known);
  return right;
}

}  // namespace

TEST_SUITE("exchange/registry tokens") {
  TEST_CASE("a token by POST, with the password; and the daemon gets the token alone") {
    token_server server({json_answer(given_answer)});
    asking daemon;
    CHECK(daemon.token(server.realm()) == "0 1=given 2=300 3=1767225600");
    const auto asked = server.requests();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].line() == "POST /token HTTP/1.1");
    CHECK(asked[0].body ==
          "grant_type=password&service=registry.example&client_id=buildkit-client&"
          "scope=repository%3Aapp%3Apull&username=ann&password=s3cret");
  }

  TEST_CASE("a server that only knows the GET") {
    for (const std::string refusal : {"404 Not Found", "405 Method Not Allowed", "401 Unauthorized"}) {
      CAPTURE(refusal);
      token_server server({json_answer("{}", refusal), json_answer(R"({"token":"given"})")});
      asking daemon;
      CHECK(daemon.token(server.realm() + "?account=ann") == "0 1=given 2=60");
      const auto asked = server.requests();
      REQUIRE(asked.size() == 2);
      CHECK(asked[1].line() ==
            "GET /token?account=ann&service=registry.example&scope=repository%3Aapp%3Apull HTTP/1.1");
      CHECK(asked[1].head.find("\r\nAuthorization: Basic " + encode_base64("ann:s3cret") + "\r\n") !=
            std::string::npos);
    }
  }

  TEST_CASE("by TLS, of an authority that is known; and no other one") {
    const authority ours("ours");
    certificate_request wanted;
    wanted.names = {"IP:127.0.0.1"};
    relay_tls tls;
    tls.own = ours.issue(wanted);
    token_server server({json_answer(given_answer)}, tls);
    const archive::scratch_tree folder;
    engine::token_fetching how;
    how.ca_file = write_file(folder.path("ca.pem"), ours.certificate());
    {
      asking daemon(how);
      CHECK(daemon.token(server.realm("https")) == "0 1=given 2=300 3=1767225600");
    }
    how.ca_file = write_file(folder.path("other.pem"), authority("other").certificate());
    asking daemon(how);
    CHECK(daemon.token(server.realm("https")).find("certificate") != std::string::npos);
    CHECK(server.accepted() == 1);
  }

  TEST_CASE("refusals, and answers that are none: their words, and no secret in them") {
    const auto told = [](std::vector<std::string> answers) {
      token_server server(std::move(answers));
      asking daemon;
      std::string words = daemon.token(server.realm());
      CHECK(words.find("s3cret") == std::string::npos);
      const std::string where = server.realm().substr(0, server.realm().rfind('/'));
      if (const std::size_t at = words.find(where); at != words.npos) words.replace(at, where.size(), "HERE");
      return words;
    };
    CHECK(told({json_answer(R"({"details":"incorrect username or password"})", "403 Forbidden")}) ==
          "16 HERE gives no token for localhost:5000: 403 Forbidden: incorrect username or password");
    CHECK(told({json_answer("no", "401 Unauthorized"), json_answer("no", "401 Unauthorized")}) ==
          "16 HERE gives no token for localhost:5000: 401 Unauthorized");
    CHECK(told({json_answer(R"({"errors":[{"code":"X","message":"too many"}]})", "429 Too Many Requests")})
              .ends_with("429 Too Many Requests: too many"));
    CHECK(told({json_answer(R"({"message":"bad form: password=s3cret"})", "400 Bad Request")})
              .ends_with("400 Bad Request"));
    CHECK(told({json_answer("[]")}).ends_with("HERE: the answer that should hold a token is no JSON object"));
    CHECK(told({json_answer("{}")}).ends_with("HERE: the answer holds no token"));
    CHECK(told({"rubbish\r\n\r\n"}).find("0 ") != 0);
    CHECK(told({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"}).find("0 ") != 0);
    CHECK(told({json_answer(std::string(2 << 20, ' '))}).find("0 ") != 0);
  }

  TEST_CASE("where a server points elsewhere nobody follows, and the password stays") {
    token_server elsewhere({json_answer(given_answer)});
    for (const std::string status :
         {"301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"}) {
      CAPTURE(status);
      std::string answer = json_answer("{}", status);
      answer.insert(answer.find("\r\n"), "\r\nLocation: " + elsewhere.realm());
      token_server server({answer, answer});
      asking daemon;
      const std::string words = daemon.token(server.realm());
      CHECK(words.starts_with("16 "));
      CHECK(words.ends_with("gives no token for localhost:5000: " + status));
    }
    CHECK(elsewhere.accepted() == 0);
  }

  TEST_CASE("an answer with a token is read up to 1 MiB, and no further") {
    const auto answer = [](std::size_t size) {
      const std::string token = R"({"token":"given"})";
      return json_answer(token + std::string(size - token.size(), ' '));
    };
    constexpr std::size_t most = std::size_t{1} << 20;
    token_server fits({answer(most)});
    CHECK(asking().token(fits.realm()) == "0 1=given 2=60");
    token_server longer({answer(most + 1)});
    CHECK(asking().token(longer.realm()).find("more than 1048576 bytes") != std::string::npos);
  }

  TEST_CASE("a server that is silent is given up, and so is one whom the daemon waits for no longer") {
    {
      token_server server({});
      engine::token_fetching how;
      CHECK(how.timeout == 30s);
      how.timeout = 50ms;
      asking daemon(how);
      CHECK(daemon.token(server.realm()).starts_with("4 "));
    }
    token_server server({});
    asking daemon;
    const auto id = daemon.begin("FetchToken", asking::token_request(server.realm()));
    const auto longest = std::chrono::steady_clock::now() + patience;
    while (server.accepted() == 0 && std::chrono::steady_clock::now() < longest) {
      daemon.daemon().talk();
      std::this_thread::sleep_for(1ms);
    }
    daemon.daemon().client.reset(id, h2::reason::cancel);
    daemon.daemon().talk();
    CHECK(server.saw_the_client_close());
    // The session goes on.
    CHECK(daemon.bytes("GetTokenAuthority", authority_request("localhost:5000", "salt")).size() == 32);
  }

  TEST_CASE("credentials do not go where anybody could read them, nor somewhere without a name") {
    asking daemon;
    CHECK(daemon.token("http://auth.example/token") ==
          "3 the credentials for localhost:5000 do not go to http://auth.example, which is not reached by "
          "https; BUILDKIT_NO_CLIENT_TOKEN=1 leaves it to the daemon");
    CHECK(daemon.token("nowhere").starts_with("3 "));
    CHECK(daemon.token("").starts_with("3 "));
  }

  TEST_CASE("what is configured as a token is the answer, and nobody is asked") {
    engine::registry_auth auth;
    auth.registry_token = "fixed";
    asking daemon({}, auth);
    CHECK(daemon.token("https://nowhere.invalid/token") == "0 1=fixed 2=60");
    // No password is not the same as nobody: the daemon has tokens of those who are nobody.
    const std::string host = authority_request("localhost:5000", "");
    CHECK(daemon.ask("Credentials", host).status == "9 for localhost:5000 there is a token, and no password");
    engine::token_fetching how;
    how.by_client = false;
    asking shy(how, auth);
    CHECK(shy.ask("Credentials", host).status == "0");
  }

  TEST_CASE("an authority: the same for the same credentials, and for nothing else") {
    const std::string request = authority_request("localhost:5000", "salt");
    asking one;
    const std::string key = one.bytes("GetTokenAuthority", request);
    REQUIRE(key.size() == 32);
    CHECK(asking().bytes("GetTokenAuthority", request) == key);
    CHECK(asking({}, engine::registry_auth("ann", "other")).bytes("GetTokenAuthority", request) != key);
    CHECK(asking({}, engine::registry_auth("anns", "3cret")).bytes("GetTokenAuthority", request) != key);
    CHECK(one.bytes("GetTokenAuthority", authority_request("localhost:5000", "pepper")) != key);

    const std::string payload("made up\0by the daemon", 21);
    const std::string signed_text =
        asking().bytes("VerifyTokenAuthority", authority_request("localhost:5000", "salt", payload));
    CHECK(is_signed_by(key, signed_text, payload));
    CHECK_FALSE(is_signed_by(
        key, one.bytes("VerifyTokenAuthority", authority_request("localhost:5000", "pepper", payload)),
        payload));
  }

  TEST_CASE("the daemon fetches where there is nothing to keep from it, and where it is to") {
    asking daemon;
    for (const char* method : {"GetTokenAuthority", "VerifyTokenAuthority"})
      CHECK(daemon.ask(method, authority_request("other.example", "salt", "payload")).status ==
            "14 there are no credentials for other.example");
    engine::token_fetching how;
    how.by_client = false;
    asking shy(how);
    for (const char* method : {"GetTokenAuthority", "VerifyTokenAuthority", "FetchToken"})
      CHECK(shy.ask(method, authority_request("localhost:5000", "salt", "payload")).status ==
            "14 this client fetches no tokens");
    for (const char* method : {"GetTokenAuthority", "VerifyTokenAuthority", "FetchToken"})
      CHECK(daemon.ask(method, "\x0a\xff").status == "13 the request cannot be read");
  }
}

}  // namespace dockline::test
