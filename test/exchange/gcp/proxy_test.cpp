// Google by way of a proxy, which the environment names.

#include "dockline/gcp/build.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/relay.hpp"
#include "support/scripted_source.hpp"

#include <memory>
#include <string>
#include <utility>

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

  TEST_CASE("where the services are is also what a file of credentials says of its universe") {
    const google_server server;
    std::string key = content_of(server.credentials_file("service_account"));
    const std::string usual = "\"googleapis.com\"";
    key.replace(key.find(usual), usual.size(), "\"u.example\"");
    diagnostics words;
    auto who = gcp::parse_credentials(key, "key.json", {}, words);
    REQUIRE_MESSAGE(who.has_value(), words.client_message());
    CHECK(who->universe() == "u.example");
    proxied proxy([](peer& client) {
      client.read_head();
      client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      client.wait_for_close();
    });
    cloud there(std::move(*who), by(proxy.url()));
    const auto seen = there.operation<gcp::build_record>([&](diagnostics& why, auto done) {
      gcp::build_place where;
      where.project = "p";
      gcp::async_get_build(there.google, where, "id", why, std::move(done));
    });
    CHECK(seen.code == errc::cannot_connect);
    CHECK(proxy.request().head.starts_with("CONNECT cloudbuild.u.example:443 HTTP/1.1\r\n"));
  }

  TEST_CASE("a whole build by TLS through a proxy, to Google's own names, whose certificates are checked") {
    const google_server server({"--tls", "--bucket", "box"});
    const auto build = [&](const gcp::client_options& options, const std::string& universe) {
      std::string key = content_of(server.credentials_file("service_account"));
      const std::string usual = "\"googleapis.com\"";
      key.replace(key.find(usual), usual.size(), '"' + universe + '"');
      diagnostics words;
      auto who = gcp::parse_credentials(key, "key.json", {}, words);
      REQUIRE_MESSAGE(who.has_value(), words.client_message());
      cloud there(std::move(*who), options);
      gcp::cloud_build_options wanted;
      wanted.bucket = "box";
      wanted.content_name = "context/of-a-proxy.tar.gz";
      wanted.request.images = {"gcr.io/dockline-test/app:1"};
      wanted.piece_size = granule;
      wanted.wait.first_pause = 10ms;
      const auto executor = there.context.get_executor();
      const auto source = [executor] { return std::make_shared<scripted_source>(executor, 3 * granule); };
      return there.operation<gcp::cloud_image>([&](diagnostics& why, auto token) {
        gcp::async_build(there.google, source, wanted, {}, why, std::move(token));
      });
    };
    gcp::client_options options = by(server.told("proxy"));
    options.ca_file = server.told("ca");
    server.scripts(R"([{"log": ["BUILD\n"]}])");
    const auto seen = build(options, "googleapis.com");
    REQUIRE_MESSAGE(!seen.code, seen.words());
    CHECK(seen.value.source.size == 3 * granule);
    CHECK(seen.value.build.status == gcp::build_status::success);
    CHECK(server.control("GET", "buckets/box/objects", {}).find("context/of-a-proxy.tar.gz") !=
          std::string::npos);
    // Kept open: one connection to each.
    CHECK(server.count("CONNECT", "storage.googleapis.com:443") == 1);
    CHECK(server.count("CONNECT", "cloudbuild.googleapis.com:443") == 1);
    // Behind the proxy somebody may be who is not what they say.
    server.forget_log();
    CHECK(build(options, "elsewhere.example").code == errc::tls_failed);
    CHECK(server.count("CONNECT", "storage.elsewhere.example:443") == 1);
    options.ca_file.clear();
    CHECK(build(options, "googleapis.com").code == errc::tls_failed);
    CHECK(server.count("GET", "/storage") + server.count("POST", "/") == 0);
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
