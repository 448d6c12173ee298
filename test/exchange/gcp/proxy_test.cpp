// Google by way of a proxy, which the environment names.

#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/relay.hpp"

namespace dockline::test {
namespace {

// A token's server and a proxy in one, on a port.
class proxied {
 public:
  explicit proxied(fake_daemon::script serve) : proxy_(std::move(serve)), port_("127.0.0.1", proxy_.host()) {}

  std::string url(const std::string& user = "") const {
    return "http://" + user + "127.0.0.1:" + std::to_string(port_.port());
  }
  const seen_request& request() {
    seen_ = proxy_.wait();
    REQUIRE(!seen_.empty());
    REQUIRE(!seen_.front().requests.empty());
    return seen_.front().requests.front();
  }
  std::string after() {
    seen_ = proxy_.wait();
    return seen_.front().after;
  }

 private:
  fake_daemon proxy_;
  relay port_;
  std::vector<seen_connection> seen_;
};

gcp::credentials user_of(const std::string& token_url) {
  diagnostics why;
  auto read = gcp::parse_credentials(
      R"({"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r","token_uri":")" +
          token_url + "\"}",
      "c.json", {}, why);
  REQUIRE(read.has_value());
  return std::move(*read);
}

gcp::client_options by(const std::string& proxy) {
  gcp::client_options options;
  options.https_proxy = options.http_proxy = proxy;
  options.retries.budget = std::chrono::milliseconds(0);
  return options;
}

const std::string token = json_answer(R"({"access_token":"t","expires_in":100})");

}  // namespace

TEST_SUITE("exchange/gcp/proxy") {
  TEST_CASE("a proxy that refuses says so") {
    struct row {
      const char* status;
      const char* words;
    };
    for (const row& one : {row{"407 Proxy Authentication Required", "wants other credentials"},
                           row{"403 Forbidden", "refuses with status 403"}}) {
      proxied proxy([&](peer& client) {
        client.read_head();
        client.send("HTTP/1.1 " + std::string(one.status) + "\r\nContent-Length: 0\r\n\r\n");
        client.wait_for_close();
      });
      cloud there(user_of("https://token.example/t"), by(proxy.url("me:p%40ss@")));
      const auto seen = there.token();
      CHECK(seen.code == errc::cannot_connect);
      CHECK_MESSAGE(seen.words().find(one.words) != std::string::npos, seen.words());
      CHECK(seen.words().find("p@ss") == std::string::npos);
      const std::string head = proxy.request().head;
      CHECK(head.starts_with("CONNECT token.example:443 HTTP/1.1\r\n"));
      CHECK(head.find("Host: token.example:443\r\n") != std::string::npos);
      // me:p@ss
      CHECK(head.find("Proxy-Authorization: Basic bWU6cEBzcw==\r\n") != std::string::npos);
    }
  }

  TEST_CASE("where the services are is what the metadata server says of its universe") {
    struct row {
      const char* told;
      const char* asked;
    };
    for (const row& one : {row{R"("u.example")", "storage.u.example"}, row{"null", "storage.googleapis.com"},
                           row{R"("not a name")", "storage.googleapis.com"}}) {
      CAPTURE(one.told);
      const google_server server;
      server.settings(R"({"universe": )" + std::string(one.told) + '}');
      proxied proxy([](peer& client) {
        client.read_head();
        client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        client.wait_for_close();
      });
      gcp::client_options options = by(proxy.url());
      options.metadata_host = server.metadata();
      cloud there(gcp::metadata_credentials(), options);
      const auto seen = there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto done) {
        gcp::async_find_object(there.google, "box", "thing", why, std::move(done));
      });
      CHECK(seen.code == errc::cannot_connect);
      CHECK(proxy.request().head.starts_with("CONNECT " + std::string(one.asked) + ":443 HTTP/1.1\r\n"));
    }
  }

  TEST_CASE("behind a proxy that agrees TLS begins") {
    proxied proxy([](peer& client) {
      client.read_head();
      client.send("HTTP/1.1 200 Connection established\r\n\r\n");
      client.read_raw(3);
      client.close();
    });
    cloud there(user_of("https://token.example/t"), by(proxy.url()));
    const auto seen = there.token();
    CHECK(seen.code == condition::unreachable);
    CHECK(seen.words().find("https://token.example") != std::string::npos);
    // A handshake, of TLS 1.0 or newer as its record says.
    CHECK(proxy.after().starts_with("\x16\x03"));
  }

  TEST_CASE("this machine is never asked for by a proxy") {
    proxied server([](peer& client) {
      client.read_request();
      client.send(token);
      client.wait_until_read();
    });
    cloud there(user_of(server.url() + "/t"), by("http://127.0.0.1:1"));
    const auto seen = there.token();
    CHECK_MESSAGE(!seen.code, seen.words());
    CHECK(server.request().line() == "POST /t HTTP/1.1");
  }
}

}  // namespace dockline::test
