// How much of an answer of Google's is held, and how long one waits for it, where nothing else is said.

#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/relay.hpp"

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

namespace dockline::test {
namespace {

constexpr std::size_t most_of_google = std::size_t{16} << 20;

outcome<std::optional<gcp::stored_object>> find_one(std::uint16_t port) {
  gcp::client_options options;
  options.storage_endpoint = "http://127.0.0.1:" + std::to_string(port);
  options.project = "p";
  cloud there(gcp::no_credentials(), options);
  return there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto token) {
    gcp::async_find_object(there.google, "box", "one", why, std::move(token));
  });
}

}  // namespace

TEST_SUITE("exchange/gcp/bounds") {
  TEST_CASE("an answer of 16 MiB is read, and no more of one") {
    std::atomic<std::size_t> sent = 0;
    fake_daemon web([&](peer& client) {
      client.read_request();
      const std::string object = R"({"name":"one","bucket":"box","generation":"7","size":"1"})";
      if (client.number() < 2) {
        const std::size_t size = most_of_google + client.number();
        client.send(json_answer(object + std::string(size - object.size(), ' ')));
        return client.wait_for_close();
      }
      client.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + object);
      for (const std::string piece(std::size_t{1} << 18, ' ');; sent += piece.size()) client.send(piece);
    });
    const relay port("127.0.0.1", web.host());
    const auto fits = find_one(port.port());
    REQUIRE_MESSAGE(!fits.code, fits.words());
    REQUIRE(fits.value);
    CHECK(fits.value->generation == "7");
    CHECK(find_one(port.port()).code == errc::message_too_long);
    const auto endless = find_one(port.port());
    CHECK(endless.code == errc::message_too_long);
    CHECK(endless.words().find("more than 16777216 bytes") != std::string::npos);
    // Beside that, what the kernel and the relay hold.
    CHECK(sent < most_of_google + (std::size_t{16} << 20));
    CHECK(web.accepted() == 3);
  }

  TEST_CASE("how long Google may take where nothing else is said") {
    const gcp::client_options options;
    CHECK(options.connect_timeout == 10s);
    CHECK(options.idle_timeout == 60s);
  }
}

}  // namespace dockline::test
