// Another implementation of Cloud Storage, by STORAGE_EMULATOR_HOST: with types and fields of its own.

#include "dockline/gcp/build.hpp"
#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/scripted_source.hpp"

namespace dockline::test {

TEST_SUITE("exchange/gcp/other_storage") {
  TEST_CASE("nothing is relied on that only one server sends") {
    const google_server server({"--quirks"});
    gcp::environment variables;
    variables["STORAGE_EMULATOR_HOST"] = server.base();
    variables["NO_GCE_CHECK"] = "true";
    gcp::client_options where = gcp::client_options_from(variables);
    CHECK(where.anonymous_storage);
    where.retries.first_delay = 5ms;
    // Nobody, and no project: a variable is all that it takes.
    diagnostics none;
    const auto who = gcp::find_credentials(variables, none);
    REQUIRE_MESSAGE(who.has_value(), none.client_message());
    cloud there(*who, where);
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1000}, std::uint64_t{3'000'000}}) {
      CAPTURE(size);
      gcp::upload_options options;
      options.bucket = "new-bucket";  // error.code is a text when it is not there
      options.object = "a b/" + std::to_string(size);
      options.piece_size = std::size_t{1} << 20;
      const auto source = [&] {
        return std::make_shared<scripted_source>(there.context.get_executor(), size);
      };
      const auto seen = there.operation<gcp::stored_object>([&](diagnostics& why, auto token) {
        gcp::async_upload(there.google, source, options, {}, why, std::move(token));
      });
      INFO(seen.words());
      REQUIRE(!seen.code);
      CHECK(seen.value.generation == "1");
      CHECK(server.ask("GET", "/new-bucket/a%20b/" + std::to_string(size), {}).size() == size);
      // And once more: it is there.
      const auto again = there.operation<gcp::stored_object>([&](diagnostics& why, auto token) {
        gcp::async_upload(there.google, source, options, {}, why, std::move(token));
      });
      CHECK_MESSAGE(!again.code, again.words());
      CHECK(again.value.existed);
      const auto gone = there.operation<nothing>([&](diagnostics& why, auto token) {
        gcp::async_delete_object(there.google, options.bucket, options.object, {}, why, std::move(token));
      });
      CHECK(!gone.code);
      const auto absent =
          there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto token) {
            gcp::async_find_object(there.google, options.bucket, options.object, why, std::move(token));
          });
      CHECK(!absent.code);
      CHECK(!absent.value);
    }
    using looked_for = std::optional<gcp::stored_bucket>;
    const auto bucket = there.operation<looked_for>([&](diagnostics& why, auto token) {
      gcp::async_find_bucket(there.google, "new-bucket", why, std::move(token));
    });
    CHECK_MESSAGE(!bucket.code, bucket.words());
    REQUIRE(bucket.value);
    // What it does not tell is not made up.
    CHECK(!bucket.value->missing_permissions);
    CHECK(!bucket.value->own);
  }

  TEST_CASE("an emulator of storage is none of Cloud Build") {
    const google_server server({"--quirks"});
    gcp::environment variables;
    variables["STORAGE_EMULATOR_HOST"] = server.base();
    variables["GOOGLE_CLOUD_PROJECT"] = "p";
    cloud there(gcp::no_credentials(), gcp::client_options_from(variables));
    const auto source = [&] { return std::make_shared<scripted_source>(there.context.get_executor(), 1000); };
    gcp::cloud_build_options options;
    options.bucket = "new-bucket";
    options.request.images = {"gcr.io/p/app:1"};
    const auto seen = there.operation<gcp::cloud_image>([&](diagnostics& why, auto token) {
      gcp::async_build(there.google, source, options, {}, why, std::move(token));
    });
    CHECK(seen.code == errc::no_credentials);
    CHECK(seen.words().find("gcloud auth application-default login") != std::string::npos);
    // And nothing was sent for it.
    CHECK(server.count("POST", "/") == 0);
  }
}

}  // namespace dockline::test
