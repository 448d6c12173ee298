// Uploads to the tests' Cloud Storage, with every fault that it knows: they arrive as they were, and little is
// sent twice.

#include "dockline/gcp/storage.hpp"

#include "exchange/gcp/cloud.hpp"
#include "gcp/crc32c.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace dockline::test {
namespace {

// Bytes that tell from where they are: none are held, and each of its makers makes the same.
class numbered_source final : public byte_source {
 public:
  numbered_source(asio::any_io_executor executor, std::uint64_t size)
      : executor_(std::move(executor)), left_(size) {}

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    // Not a multiple of anything.
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>({block.size(), left_, 1'000'003}));
    auto* out = static_cast<unsigned char*>(block.data());
    for (std::size_t i = 0; i < size; ++i)
      out[i] = static_cast<unsigned char>((at_ + i) * 0x9E3779B97F4A7C15U >> 32);
    at_ += size;
    left_ -= size;
    asio::post(executor_,
               [size, handler = std::move(handler)]() mutable { std::move(handler)(error_code(), size); });
  }
  const diagnostics& why() const noexcept override { return why_; }

 private:
  asio::any_io_executor executor_;
  std::uint64_t left_;
  std::uint64_t at_ = 0;
  diagnostics why_;
};

class uploading : public cloud {
 public:
  using cloud::cloud;
  explicit uploading(const google_server& server) : cloud(server) {}

  gcp::upload_options options = [] {
    gcp::upload_options chosen;
    chosen.bucket = "box";
    chosen.object = "context/one.tar.gz";
    chosen.piece_size = granule;
    return chosen;
  }();
  int made = 0;  // sources

  gcp::source_factory source(std::uint64_t size) {
    return [this, size] {
      ++made;
      return std::make_shared<numbered_source>(context.get_executor(), size);
    };
  }
  auto begin_upload(std::uint64_t size) {
    return begin<gcp::stored_object>([&](diagnostics& why, auto token) {
      gcp::async_upload(google, source(size), options, {}, why, std::move(token));
    });
  }
  outcome<gcp::stored_object> upload(std::uint64_t size, std::chrono::seconds longest = patience) {
    auto seen = begin_upload(size);
    run(longest);
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }
};

// What the source's bytes are as one text.
std::string whole(std::uint64_t size) {
  asio::io_context loop;
  numbered_source source(loop.get_executor(), size);
  std::string all;
  std::string block(1 << 20, '\0');
  for (bool more = true; more;) {
    source.async_read_some(asio::buffer(block), [&](error_code, std::size_t count) {
      all.append(block, 0, count);
      more = count > 0;
    });
    loop.run();
    loop.restart();
  }
  return all;
}

void check_arrived(const outcome<gcp::stored_object>& seen, const google_server& server, std::uint64_t size) {
  INFO(seen.words());
  REQUIRE(!seen.code);
  CHECK(seen.value.size == size);
  CHECK(!seen.value.generation.empty());
  CHECK(server.ask("GET", "/box/context/one.tar.gz", {}) == whole(size));
}

}  // namespace

TEST_SUITE("exchange/gcp/uploads") {
  TEST_CASE("who looks on sees each request, but no token and no session") {
    const google_server server({"--bucket", "box", "--anonymous"});
    gcp::client_options options = options_for(server);
    std::string seen;
    std::uint64_t sent = 0;
    options.on_exchange = [&](const http::exchange_event& what) {
      seen += what.head;
      if (what.phase == http::exchange_phase::over) sent += what.sent;
    };
    uploading there(credentials_of(server, "authorized_user"), options);
    check_arrived(there.upload(5 * granule + 3), server, 5 * granule + 3);
    CHECK(sent > 5 * granule);
    CHECK(seen.find("POST /token HTTP/1.1\n") != std::string::npos);
    CHECK(seen.find("POST /upload/storage/v1/b/box/o?uploadType=resumable") != std::string::npos);
    CHECK(seen.find("Authorization: ***\n") != std::string::npos);
    CHECK(seen.find("Bearer") == std::string::npos);
    CHECK(seen.find("ya29") == std::string::npos);
    const std::string parameter = "upload_id=";
    int sessions = 0;
    for (std::size_t at = 0; (at = seen.find(parameter, at)) != seen.npos; at += parameter.size(), ++sessions)
      CHECK(seen.compare(at + parameter.size(), 9, "%2A%2A%2A") == 0);
    CHECK(sessions > 1);
  }

  TEST_CASE("small and large ones arrive, whatever their size is to the pieces") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, granule - 1, granule, granule + 1,
                                     4 * granule, 5 * granule + 12345}) {
      CAPTURE(size);
      uploading there(server);
      there.options.keep_existing = false;
      check_arrived(there.upload(size), server, size);
      CHECK(there.made == 1);
    }
  }

  TEST_CASE("what fits into a piece is one request") {
    const google_server server({"--bucket", "box"});
    uploading there(server);
    there.options.look_first = false;
    CHECK(!there.upload(1000).code);
    CHECK(server.count("POST", "/upload/") + server.count("PUT", "/upload/") == 1);
  }

  TEST_CASE("each fault in each request of an upload") {
    const google_server server({"--bucket", "box", "--anonymous"});
    constexpr std::uint64_t size = 5 * granule + 777;
    const std::string actions[] = {R"({"status": 503})",
                                   R"({"status": 500, "body": "not JSON"})",
                                   R"({"status": 429})",
                                   R"({"status": 408})",
                                   R"({"reset": "before"})",
                                   R"({"reset": "after"})",
                                   R"({"reset": "during", "after": 100000})",
                                   R"({"cut_answer": 0})"};
    for (const auto& action : actions) {
      for (int nth = 1; nth <= 7; ++nth) {
        CAPTURE(action);
        CAPTURE(nth);
        server.no_faults();
        server.forget_log();
        server.faults(R"({"path": "^/upload/", "nth": )" + std::to_string(nth) + R"(, "action": )" + action +
                      "}");
        uploading there(server);
        there.options.keep_existing = false;
        check_arrived(there.upload(size), server, size);
        // Not more than two pieces of it are sent again.
        CHECK(server.sum("content") <= static_cast<std::int64_t>(size + 2 * granule));
      }
    }
  }

  TEST_CASE("a server that keeps less than it was sent") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const char* kept : {"0", "262144", "524288"}) {
      CAPTURE(kept);
      server.no_faults();
      server.faults(R"({"method": "PUT", "every": 2, "times": 3, "action": {"persist": )" +
                    std::string(kept) + "}}");
      uploading there(server);
      there.options.keep_existing = false;
      there.options.piece_size = 4 * granule;
      check_arrived(there.upload(17 * granule + 5), server, 17 * granule + 5);
    }
  }

  TEST_CASE("a session that has ended is followed by another, from the start") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const char* status : {"404", "410"}) {
      CAPTURE(status);
      server.no_faults();
      server.faults(R"({"method": "PUT", "nth": 3, "action": {"expire": )" + std::string(status) + "}}");
      uploading there(server);
      there.options.keep_existing = false;
      check_arrived(there.upload(5 * granule), server, 5 * granule);
      CHECK(there.made == 2);
    }
  }

  TEST_CASE("bytes that change on the way are noticed") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const std::uint64_t size : {std::uint64_t{1000}, 3 * granule}) {
      server.no_faults();
      server.forget_log();
      server.faults(R"({"path": "^/upload/", "query": "upload_id|multipart|media", "nth": 1,
                        "action": {"corrupt": 700}})");
      uploading there(server);
      there.options.keep_existing = false;
      there.options.object = "changed-" + std::to_string(size);
      const auto seen = there.upload(size);
      CHECK(server.control("GET", "faults", {}).find("\"hits\": 1") != std::string::npos);
      // Once more, and what is there is what was to be sent.
      CHECK_MESSAGE(!seen.code, seen.words());
      CHECK(server.sum("content") == static_cast<std::int64_t>(2 * size));
      CHECK(server.ask("GET", "/box/" + there.options.object, {}) == whole(size));
      // Where it happens each time it is said, and nothing is passed for what was sent.
      server.no_faults();
      server.faults(
          R"({"path": "^/upload/", "query": "upload_id|multipart|media", "action": {"corrupt": 700}})");
      there.options.object = "never-" + std::to_string(size);
      const auto never = there.upload(size);
      CHECK(never.code);
      CHECK_MESSAGE(never.words().find(there.options.object) != std::string::npos, never.words());
      CHECK(server.control("GET", "buckets/box/objects", {}).find("never-") == std::string::npos);
    }
  }

  TEST_CASE("an answer that does not come in time is asked for again") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const auto* action : {R"({"stall": 30, "after": 100000})", R"({"stall": 30})"}) {
      server.no_faults();
      server.faults(R"({"method": "PUT", "nth": 2, "action": )" + std::string(action) + "}");
      gcp::client_options where = options_for(server);
      where.idle_timeout = 300ms;
      uploading there(credentials_of(server, "service_account"), where);
      there.options.keep_existing = false;
      check_arrived(there.upload(3 * granule), server, 3 * granule);
    }
  }

  TEST_CASE("what is slow but moves is not given up") {
    const google_server server({"--bucket", "box", "--anonymous"});
    server.faults(R"({"method": "PUT", "nth": 1, "action": {"slow": 200000}})");
    gcp::client_options where = options_for(server);
    where.idle_timeout = 700ms;
    uploading there(credentials_of(server, "service_account"), where);
    check_arrived(there.upload(2 * granule), server, 2 * granule);
    CHECK(server.count("POST", "uploadType=resumable") == 1);
  }

  TEST_CASE("an unchanged object is not sent again") {
    const google_server server({"--bucket", "box"});
    uploading first(server);
    const auto sent = first.upload(3 * granule);
    REQUIRE(!sent.code);
    CHECK(!sent.value.existed);
    server.forget_log();
    uploading second(server);
    const auto found = second.upload(3 * granule);
    REQUIRE(!found.code);
    CHECK(found.value.existed);
    CHECK(found.value.generation == sent.value.generation);
    CHECK(server.sum("content") == 0);
    CHECK(server.count("POST", "/upload/") + server.count("PUT", "/upload/") == 0);
    CHECK(second.made == 0);
  }

  TEST_CASE("two that send the same at once both have it") {
    const google_server server({"--bucket", "box", "--anonymous"});
    server.faults(R"({"method": "PUT", "action": {"delay": 0.02}})");
    uploading there(server);
    auto one = there.begin_upload(3 * granule);
    auto other = there.begin_upload(3 * granule);
    there.run();
    REQUIRE_MESSAGE(!one->code, one->words());
    REQUIRE_MESSAGE(!other->code, other->words());
    CHECK(one->value.generation == other->value.generation);
    CHECK(one->value.crc32c == other->value.crc32c);
    CHECK(one->value.existed != other->value.existed);
    check_arrived(*one, server, 3 * granule);
  }

  TEST_CASE("an answer that got lost is an object of our own") {
    const google_server server({"--bucket", "box", "--anonymous"});
    for (const std::uint64_t size : {std::uint64_t{1000}, 3 * granule}) {
      server.no_faults();
      server.faults(
          R"([{"path": "^/upload/", "query": "multipart|media", "nth": 1, "action": {"reset": "after"}},
                        {"method": "PUT", "nth": 3, "action": {"reset": "after"}}])");
      uploading there(server);
      there.options.object = "lost-" + std::to_string(size);
      there.options.look_first = false;
      const auto seen = there.upload(size);
      INFO(seen.words());
      REQUIRE(!seen.code);
      CHECK(!seen.value.generation.empty());
      CHECK(!seen.value.existed);
      CHECK(seen.value.size == size);
      CHECK(server.ask("GET", "/box/lost-" + std::to_string(size), {}) == whole(size));
    }
  }

  TEST_CASE("a bucket that is not there is made, and asked for only then") {
    const google_server server;
    for (const std::uint64_t size : {std::uint64_t{1000}, 3 * granule}) {
      server.forget_log();
      uploading there(server);
      there.options.bucket = "made-here-" + std::to_string(size);
      there.options.bucket_location = "EU";
      const auto seen = there.upload(size);
      INFO(seen.words());
      REQUIRE(!seen.code);
      CHECK(seen.value.bucket_created);
      CHECK(server.count("GET", "/storage/v1/b/" + there.options.bucket + "?") == 0);
      CHECK(server.count("POST", "/storage/v1/b?") == 1);
      const std::string control = server.ask("GET", "/control/buckets/" + there.options.bucket, {});
      CHECK(control.find("\"location\": \"EU\"") != std::string::npos);
      CHECK(control.find("uniformBucketLevelAccess") != std::string::npos);
      CHECK(control.find("lifecycle") != std::string::npos);
    }
  }

  TEST_CASE("a bucket of somebody else gets nothing") {
    const google_server server;
    // It is not said to be there, until one makes it: then its name is taken.
    server.control("POST", "buckets", R"({"name": "taken", "hidden": true, "open": true})");
    uploading there(server);
    there.options.bucket = "taken";
    const auto seen = there.upload(1000);
    CHECK(seen.code == errc::conflict);
    CHECK(seen.words().find("gs://taken is not one of the project dockline-test") != std::string::npos);
    CHECK(server.ask("GET", "/control/buckets/taken/objects", {}) == "[]\n");
  }

  TEST_CASE("a right that is missing is named") {
    const google_server server({"--bucket", "box"});
    server.deny(R"([{"permission": "storage\\.objects\\.create"}])");
    uploading there(server);
    const auto seen = there.upload(1000);
    CHECK(seen.code == condition::denied);
    CHECK(seen.words().find("storage.objects.create") != std::string::npos);
    CHECK(server.count("POST", "/upload/") <= 2);
    // Those of buckets are not needed.
    server.deny(R"([{"permission": "storage\\.buckets\\..*"}])");
    uploading again(server);
    CHECK(!again.upload(1000).code);
  }

  TEST_CASE("what is known of a bucket, and no more than may be") {
    const google_server server({"--bucket", "box"});
    server.control("POST", "buckets", R"({"name": "of-others"})");
    using looked_for = std::optional<gcp::stored_bucket>;
    cloud there(server);
    const auto look = [&](const std::string& name) {
      return there.operation<looked_for>([&](diagnostics& why, auto token) {
        gcp::async_find_bucket(there.google, name, why, std::move(token));
      });
    };
    const auto own = look("box");
    REQUIRE_MESSAGE(!own.code, own.words());
    REQUIRE(own.value);
    CHECK(own.value->name == "box");
    CHECK(own.value->own == true);
    CHECK(own.value->location == "US");
    CHECK(own.value->project_number == "123456789012");
    CHECK(own.value->missing_permissions == std::vector<std::string>());
    const auto absent = look("nothing-there");
    CHECK_MESSAGE(!absent.code, absent.words());
    CHECK(!absent.value);
    const auto others = look("of-others");
    CHECK_MESSAGE(!others.code, others.words());
    REQUIRE(others.value);
    CHECK(others.value->own == false);
    CHECK(others.value->location.empty());
    CHECK(others.value->missing_permissions->size() == 3);
    CHECK(look("Not a name").code == errc::invalid_argument);
    server.deny(
        R"([{"permission": "storage\\.buckets\\..*"}, {"permission": "storage\\.objects\\.create"}])");
    const auto hidden = look("box");
    CHECK_MESSAGE(!hidden.code, hidden.words());
    REQUIRE(hidden.value);
    CHECK(hidden.value->project_number.empty());
    CHECK(hidden.value->missing_permissions == std::vector<std::string>{"storage.objects.create"});
    server.deny("[]");
    server.faults(R"({"path": "/storage/v1/b/box$", "action": {"status": 400}})");
    CHECK(look("box").code == condition::invalid_argument);
  }

  TEST_CASE("a token that is refused is renewed once") {
    const google_server server({"--bucket", "box"});
    uploading there(credentials_of(server, "authorized_user"), options_for(server));
    CHECK(!there.upload(1000).code);
    server.control("POST", "forget_tokens", {});
    there.options.object = "another";
    const auto seen = there.upload(3 * granule);
    CHECK_MESSAGE(!seen.code, seen.words());
    CHECK(server.count("POST", "/token") == 2);
    // For good: it ends.
    server.faults(R"({"path": "^/(upload|storage)/", "action": {"status": 401}})");
    there.options.object = "a third";
    CHECK(there.upload(1000).code == condition::unauthorized);
  }

  TEST_CASE("a clock that is wrong is named here as well") {
    const google_server server({"--bucket", "box"});
    server.settings(R"({"clock_offset": 7200})");
    uploading there(server);
    const auto seen = there.upload(1000);
    CHECK(seen.code);
    CHECK_MESSAGE(seen.words().find("clock") != std::string::npos, seen.words());
  }

  TEST_CASE("names that cannot be are refused before anything is sent") {
    const google_server server;
    for (const auto* name : {"ab", "Upper", "goog-x", "1.2.3.4", "a..b"}) {
      CAPTURE(name);
      uploading there(server);
      there.options.bucket = name;
      const auto seen = there.upload(1000);
      CHECK(seen.code == errc::invalid_argument);
      CHECK(seen.words().find(name) != std::string::npos);
    }
    CHECK(server.count("POST", "/") + server.count("GET", "/") + server.count("PUT", "/") == 0);
  }

  TEST_CASE("a quota that is used up for long ends it, with Google's words") {
    const google_server server({"--bucket", "box"});
    server.faults(R"({"path": "^/upload/", "action": {"status": 429}})");
    gcp::client_options where = options_for(server);
    where.retries.budget = 300ms;
    uploading there(credentials_of(server, "service_account"), where);
    const auto seen = there.upload(1000);
    CHECK(seen.code);
    CHECK(seen.words().find("Quota exceeded") != std::string::npos);
  }

  TEST_CASE("cancelled at any time, nothing is left and the client goes on") {
    const google_server server({"--bucket", "box"});
    server.faults(R"({"path": "^/upload/", "action": {"delay": 0.05}})");
    for (const auto after : {0ms, 20ms, 80ms, 130ms, 200ms}) {
      CAPTURE(after.count());
      uploading there(server);
      auto seen = there.begin_upload(40 * granule);
      asio::steady_timer timer(there.context, after);
      timer.async_wait([&](error_code) { there.cancel.emit(asio::cancellation_type::terminal); });
      there.run();
      CHECK(seen->completions == 1);
      CHECK(seen->code == condition::cancelled);
      // An upload that had begun was taken back.
      CHECK(server.control("GET", "sessions", {}) == "[]\n");
      const auto next = there.operation<std::optional<gcp::stored_object>>([&](diagnostics& why, auto token) {
        gcp::async_find_object(there.google, "box", "context/one.tar.gz", why, std::move(token));
      });
      CHECK(!next.code);
      CHECK(!next.value);
    }
  }

  TEST_CASE("a gigabyte with a fault in each tenth request") {
    const google_server server({"--bucket", "box"});
    constexpr std::uint64_t size = (std::uint64_t{1} << 30) + 12345;
    constexpr std::size_t piece = std::size_t{2} << 20;
    server.faults(R"({"path": "^/upload/", "every": 10, "action": [
                       {"status": 503}, {"reset": "during", "after": 1000000}, {"reset": "after"},
                       {"persist": 524288}, {"reset": "before"}]})");
    uploading there(server);
    there.options.piece_size = piece;
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    const auto seen = there.upload(size, 240s);
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    INFO(seen.words());
    REQUIRE(!seen.code);
    CHECK(seen.value.size == size);
    CHECK(there.made == 1);
    json::document rules;
    REQUIRE(!rules.parse(server.control("GET", "faults", {})));
    std::int64_t hits = 0;
    for (const json::value rule : rules.root().elements()) hits += rule.find("hits").as_int().value_or(0);
    const std::int64_t again = server.sum("content") - static_cast<std::int64_t>(size);
    MESSAGE(hits, " faults, ", again >> 20, " MiB sent again, peak memory grew by ",
            (after.ru_maxrss - before.ru_maxrss) >> 10, " MiB");
    CHECK(hits > 50);
    CHECK(again <= hits * static_cast<std::int64_t>(2 * piece));
    // Intact: what the server keeps has the checksum of what was made, computed apart from the upload.
    gcp::crc32c right;
    numbered_source source(there.context.get_executor(), size);
    std::string block(1 << 20, '\0');
    for (bool more = true; more;) {
      source.async_read_some(asio::buffer(block), [&](error_code, std::size_t count) {
        right.add(asio::buffer(block, count));
        more = count > 0;
      });
      there.run();
    }
    CHECK(right.text() == seen.value.crc32c);
    CHECK(server.ask("GET", "/control/checksum/box/context/one.tar.gz", {}).find(seen.value.crc32c) !=
          std::string::npos);
    // Two pieces, what is on its way, and no more however much goes by.
    if (!is_sanitized) CHECK(after.ru_maxrss - before.ru_maxrss < (16 << 10));
  }
}

}  // namespace dockline::test
