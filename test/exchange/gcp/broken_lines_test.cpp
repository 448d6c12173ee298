// Uploads and builds over a line to the tests' Google that breaks at a byte, for many bytes and in every way:
// what is said to have arrived is what was sent, and everything comes to its end.

#include "dockline/gcp/cloud_build.hpp"
#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/planned_relay.hpp"
#include "support/scripted_source.hpp"

#include <string>

namespace dockline::test {
namespace {

constexpr std::uint64_t size = 700'000;

std::string relay_target(const google_server& google) {
  const std::string base = google.base();
  return base.substr(base.rfind(':'));
}

// How a client reaches it over the relay: soon at the end of its patience.
gcp::client_options options_over(const google_server& google, const planned_relay& relay) {
  gcp::client_options options = options_for(google);
  options.storage_endpoint = "http://127.0.0.1:" + std::to_string(relay.port());
  options.cloud_build_endpoint = options.storage_endpoint;
  options.idle_timeout = 300ms;
  options.retries.budget = 1s;
  return options;
}

outcome<gcp::stored_object> upload_over(const google_server& google, planned_relay& relay, line_plan how,
                                        int number) {
  cloud line(credentials_of(google, "service_account"), options_over(google, relay));
  relay.plan(how);
  gcp::upload_options options;
  options.bucket = "box";
  options.object = "broken/" + std::to_string(number);
  options.piece_size = granule;
  const auto executor = line.context.get_executor();
  return line.operation<gcp::stored_object>([&](diagnostics& why, auto token) {
    gcp::async_upload(
        line.google, [executor] { return std::make_shared<scripted_source>(executor, size); }, options, {},
        why, std::move(token));
  });
}

}  // namespace

TEST_SUITE("exchange/broken lines") {
  TEST_CASE("an upload over a line that breaks once arrives; over one that is broken it ends") {
    const google_server google({"--bucket", "box", "--anonymous"});
    planned_relay relay(relay_target(google));
    int number = 0;
    const auto right = upload_over(google, relay, line_plan(), number);
    REQUIRE_MESSAGE(!right.code, right.words());
    const std::size_t answered = relay.answered();
    const std::size_t requested = relay.requested();
    for (const auto kind : {line_fault::cut, line_fault::reset, line_fault::stall, line_fault::corrupt}) {
      for (const bool requests : {false, true}) {
        const std::size_t last = (requests ? requested : answered) - 1;
        for (std::size_t i = 0; i <= 6; ++i) {
          line_plan how(kind, last * i / 6, requests);
          how.once = true;
          CAPTURE(static_cast<int>(kind));
          CAPTURE(requests);
          CAPTURE(how.at);
          const auto seen = upload_over(google, relay, how, ++number);
          // A bit that is another one in a head or in an answer may be anything: a refusal for one.
          CHECK((!seen.code || kind == line_fault::corrupt));
          CHECK(static_cast<bool>(seen.code) != seen.why.empty());
          if (seen.code) continue;
          CHECK(seen.value.size == size);
          // Whatever the answer said: the object is what was sent.
          const std::string where = "/box/broken/" + std::to_string(number);
          CHECK(google.ask("GET", where, {}) == std::string(size, 'x'));
        }
      }
      if (kind == line_fault::corrupt) continue;
      const auto never = upload_over(google, relay, line_plan(kind, requested / 2, true), ++number);
      CHECK(never.code);
      CHECK_FALSE(never.why.empty());
    }
    CHECK(!upload_over(google, relay, line_plan(line_fault::throttle, 0, false), ++number).code);
  }
}

}  // namespace dockline::test
