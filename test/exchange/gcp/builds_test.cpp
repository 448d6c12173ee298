// Builds at the tests' Cloud Build, told beforehand: how they are created, waited for and cancelled, and what
// is heard of their logs.

#include "dockline/gcp/build.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/scripted_source.hpp"

#include <algorithm>
#include <map>
#include <variant>

namespace dockline::test {
namespace {

// What a build's events say, put together.
struct build_news {
  build_news() = default;

  progress::event_sink sink() {
    return [this](const progress::event& what) { take(what.body); };
  }

  void take(const progress::event_body& body) {
    if (const auto* started = std::get_if<progress::step_started>(&body))
      names[started->index] = started->name;
    if (const auto* failed = std::get_if<progress::step_failed>(&body)) failures.push_back(*failed);
    if (const auto* log = std::get_if<progress::step_log>(&body)) text += log->bytes;
    if (const auto* warned = std::get_if<progress::warning>(&body)) warnings.push_back(warned->text);
    if (const auto* sent = std::get_if<progress::context_progress>(&body)) {
      uploaded = sent->bytes_sent;
      complete = complete || sent->complete;
    }
  }

  std::map<int, std::string> names;
  std::vector<progress::step_failed> failures;
  std::vector<std::string> warnings;
  std::string text;
  std::uint64_t uploaded = 0;
  bool complete = false;
};

class cloud_building : public cloud {
 public:
  explicit cloud_building(const google_server& server) : cloud_building(server, options_for(server)) {}
  cloud_building(const google_server& server, gcp::client_options where)
      : cloud(credentials_of(server, "service_account"), std::move(where)) {
    options.where.region = "europe-west1";
    options.bucket = "box";
    options.content_name = "context/sha256-1.tar.gz";
    options.request.images.emplace_back("gcr.io/dockline-test/app:1");
    options.wait.first_pause = 10ms;
    options.wait.longest_pause = 50ms;
  }

  auto begin_build() {
    const auto source = [this] { return std::make_shared<scripted_source>(context.get_executor(), 1000); };
    return begin<gcp::cloud_image>([&](diagnostics& why, auto token) {
      gcp::async_build(google, source, options, events.sink(), why, std::move(token));
    });
  }
  outcome<gcp::cloud_image> build() {
    auto seen = begin_build();
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }

  gcp::cloud_build_options options;
  build_news events;
};

const std::string images =
    R"("results": {"images": [{"name": "gcr.io/dockline-test/app:1", "digest": ")" + image_digest + R"("}]})";

// The log of one step of docker build, as the classic builder writes it.
const std::string one_step_log =
    R"("FETCHSOURCE\nBUILD\nAlready have image (with digest): gcr.io/cloud-builders/docker\n",)"
    R"("Sending build context to Docker daemon  4.096kB\nStep 1/2 : FROM scratch\n ---> \n", 0.1,)"
    R"("Step 2/2 : RUN make\n ---> Running in 0123456789ab\nhello gr\u00fc\u00df\n", 0.1,)"
    R"("Successfully built 0123456789ab\nPUSH\nPushing gcr.io/dockline-test/app:1\nDONE\n")";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A log, but for the id of the build in its first line.
std::string without_id(const std::string& log) {
  const std::size_t quote = log.find('"');
  return quote == std::string::npos ? log : log.substr(log.find('"', quote + 1) + 1);
}

}  // namespace

TEST_SUITE("exchange/gcp/builds") {
  TEST_CASE("from a source to an image, with the log as it comes, cut anywhere") {
    const google_server server({"--bucket", "box"});
    std::string whole;
    for (const char* bytes : {"0", "1", "7"}) {
      CAPTURE(bytes);
      server.settings(R"({"log_bytes": )" + std::string(bytes) + "}");
      server.scripts("[{\"log\": [" + one_step_log + "], " + images + "}]");
      cloud_building there(server);
      const auto seen = there.build();
      INFO(seen.words());
      REQUIRE(!seen.code);
      REQUIRE(seen.value.images.size() == 1);
      CHECK(seen.value.images[0].digest == image_digest);
      CHECK(seen.value.build.status == gcp::build_status::success);
      CHECK(!seen.value.build.log_url.empty());
      CHECK(there.events.complete);
      CHECK(contains(there.events.text, "hello gr\u00fc\u00df\n"));
      // However it was cut, it says the same.
      if (whole.empty()) whole = there.events.text;
      CHECK(without_id(there.events.text) == without_id(whole));
      CHECK(there.events.names.size() == 2);
      CHECK(std::ranges::any_of(there.events.names,
                                [](const auto& step) { return contains(step.second, "RUN make"); }));
      CHECK(there.events.failures.empty());
    }
  }

  TEST_CASE("each byte of a log is read once, by ranges that follow each other, whatever breaks off") {
    const google_server server({"--bucket", "box"});
    // Lines that tell which they are, in pieces that end anywhere, in the middle of a character too.
    std::string lines;
    for (int i = 0; i < 400; ++i) lines += "line " + std::to_string(i) + " gr\u00fc\u00df\n";
    std::string log;
    for (const char letter : lines) log += letter == '\n' ? std::string("\\n") : std::string(1, letter);
    const std::string faults[] = {
        "[]",
        R"([{"path": "/o/log-", "every": 2, "action": [{"cut_answer": 1000}, {"status": 503}, {"reset": "after"},
                                                             {"cut_answer": 3}, {"reset": "before"}]}])"};
    for (const auto& rules : faults) {
      CAPTURE(rules);
      server.no_faults();
      server.forget_log();
      server.faults(rules);
      server.settings(R"({"log_bytes": 101})");
      server.scripts("[{\"log\": [\"" + log + "\", 0.2, \"" + log + "\", 0.2, \"end\\n\"], " + images + "}]");
      cloud_building there(server);
      const auto seen = there.build();
      REQUIRE_MESSAGE(!seen.code, seen.words());
      CHECK(there.events.warnings.empty());
      const std::size_t first = there.events.text.find("line 0 ");
      REQUIRE(first != std::string::npos);
      CHECK(there.events.text.substr(first) == lines + lines + "end\n");
      // Of what was read no byte is asked for again.
      std::int64_t next = 0;
      int polls = 0;
      for (const auto& one : server.ranges("/o/log-")) {
        ++polls;
        CHECK(one.from >= next);
        next = one.from;
      }
      CHECK(polls > 3);
      CHECK(static_cast<std::size_t>(next) <= first + 2 * lines.size() + 200);
    }
  }

  TEST_CASE("every way to end") {
    const google_server server({"--bucket", "box"});
    struct row {
      std::string script;
      std::string option;
      gcp::build_status status;
      const char* words;
    };
    const row rows[] = {
        {R"({"log": ["x\n"], "status": "FAILURE", "statusDetail": "Build step failure: step 1 said no",
             "failureInfo": {"type": "USER_BUILD_STEP", "detail": "step 1 said no"}})",
         {},
         gcp::build_status::failure,
         "step 1 said no"},
        {R"({"log": ["x\n"], "status": "FAILURE",
             "failureInfo": {"type": "PUSH_NOT_AUTHORIZED", "detail": "denied: uploadArtifacts"}})",
         {},
         gcp::build_status::failure,
         "uploadArtifacts"},
        {R"({"log": ["x\n"], "status": "INTERNAL_ERROR", "statusDetail": "we are sorry"})",
         {},
         gcp::build_status::internal_error,
         "we are sorry"},
        {R"({"log": [30]})", "timeout", gcp::build_status::timeout, "TIMEOUT"},
        {R"({"log": [], "queued_seconds": 30})", "queue", gcp::build_status::expired, "EXPIRED"},
        {R"({"log": [], "status": "CANCELLED"})", {}, gcp::build_status::cancelled, "CANCELLED"},
    };
    for (const auto& one : rows) {
      CAPTURE(one.script);
      server.scripts("[" + one.script + "]");
      cloud_building there(server);
      if (one.option == "timeout") there.options.request.timeout = 1s;
      if (one.option == "queue") there.options.request.queue_ttl = 1s;
      const auto seen = there.build();
      const bool by_service = one.status == gcp::build_status::internal_error;
      CHECK(seen.code == (by_service ? errc::service_failed : errc::build_failed));
      CHECK_MESSAGE(contains(seen.words(), one.words), seen.words());
      CHECK(contains(seen.words(), std::string("ended as ") + gcp::to_string(one.status) + ';'));
      CHECK(contains(seen.words(), "console.cloud.google.com"));
      // A push that fails is no step that fails.
      if (std::string_view(one.words) == "uploadArtifacts") CHECK(seen.why.step() == nullptr);
    }
  }

  TEST_CASE("the step that failed, and the last lines of its log") {
    const google_server server({"--bucket", "box"});
    server.scripts(
        R"([{"log": ["BUILD\nSending build context to Docker daemon  4.096kB\nStep 1/2 : FROM scratch\n",
        " ---> \nStep 2/2 : RUN make\n ---> Running in 0123456789ab\nfirst\nlast words\n",
        "The command '/bin/sh -c make' returned a non-zero code: 7\nERROR\n",
        "ERROR: build step 0 \"gcr.io/cloud-builders/docker\" failed: step exited with non-zero status: 7\n"],
        "status": "FAILURE", "failureInfo": {"type": "USER_BUILD_STEP", "detail": "step exited with non-zero status: 7"}}])");
    cloud_building there(server);
    const auto seen = there.build();
    CHECK(seen.code == errc::build_failed);
    REQUIRE(seen.why.step() != nullptr);
    CHECK(contains(seen.why.step()->instruction, "RUN make"));
    CHECK(contains(seen.why.step()->log_tail, "last words"));
  }

  TEST_CASE("a lost answer is no second build") {
    const google_server server({"--bucket", "box"});
    for (const auto* action : {R"({"reset": "after"})", R"({"status": 503})", R"({"status": 429})",
                               R"({"reset": "before"})", R"({"cut_answer": 5})"}) {
      CAPTURE(action);
      server.no_faults();
      server.scripts("[{\"log\": [], " + images + "}]");
      server.faults(R"({"method": "POST", "path": "/builds$", "nth": 1, "action": )" + std::string(action) +
                    "}");
      const auto before = server.control("GET", "builds", {});
      cloud_building there(server);
      const auto seen = there.build();
      INFO(seen.words());
      CHECK(!seen.code);
      json::document now;
      json::document then;
      REQUIRE(!now.parse(server.control("GET", "builds", {})));
      REQUIRE(!then.parse(before));
      CHECK(now.root().elements().size() == then.root().elements().size() + 1);
    }
  }

  TEST_CASE("nor is it where filters are not known, and pages are short or empty") {
    const google_server server({"--bucket", "box"});
    const std::string script = "{\"log\": [], " + images + '}';
    server.scripts('[' + script + ", " + script + ']');
    server.settings(R"({"list_filters": false, "list_page": 1, "list_empty_pages": 2})");
    server.faults(R"([{"method": "POST", "path": "/builds$", "nth": 1, "action": {"reset": "after"}}])");
    cloud_building there(server);
    const auto seen = there.build();
    CHECK_MESSAGE(!seen.code, seen.words());
    CHECK(server.count("POST", "/builds") == 1);
  }

  TEST_CASE("a list of nothing but empty pages is given up") {
    const google_server server({"--bucket", "box"});
    server.settings(R"({"list_empty_pages": 1000})");
    cloud_building there(server);
    const auto seen = there.operation<std::vector<gcp::build_record>>([&](diagnostics& why, auto token) {
      gcp::async_list_builds(there.google, gcp::build_list_options(), why, std::move(token));
    });
    CHECK(seen.code == errc::unexpected_answer);
    CHECK(contains(seen.words(), "without a build"));
  }

  TEST_CASE("what is refused says so in Google's words") {
    const google_server server({"--bucket", "box"});
    cloud_building there(server);
    there.options.request.machine_type = "ENORMOUS";
    const auto seen = there.build();
    CHECK(seen.code == condition::invalid_argument);
    CHECK_MESSAGE(contains(seen.words(), "ENORMOUS"), seen.words());
    CHECK(server.count("POST", "/builds") == 1);
  }

  TEST_CASE("a build in a private pool is in the pool's region, or in none") {
    const google_server server({"--bucket", "box"});
    const std::string pool = "projects/dockline-test/locations/us-west2/workerPools/own";
    server.scripts("[{\"log\": [], " + images + "}]");
    cloud_building there(server);
    there.options.request.private_pool = pool;
    there.options.where.region.clear();
    const auto seen = there.build();
    REQUIRE_MESSAGE(!seen.code, seen.words());
    CHECK(server.count("POST", "/v1/projects/dockline-test/locations/us-west2/builds") == 1);
    server.forget_log();
    for (const char* other : {"global", "europe-west1"}) {
      there.options.where.region = other;
      const auto refused = there.build();
      CHECK(refused.code == errc::invalid_argument);
      CHECK_MESSAGE(contains(refused.words(), other), refused.words());
      CHECK_MESSAGE(contains(refused.words(), pool), refused.words());
    }
    there.options.where.region = "us-west2";
    there.options.request.machine_type = "E2_MEDIUM";
    CHECK(there.build().code == errc::invalid_argument);
    // Nothing was sent for these.
    CHECK(server.count("POST", "/") + server.count("GET", "/") == 0);
  }

  TEST_CASE("a wait outlives what fails for a moment") {
    const google_server server({"--bucket", "box"});
    server.scripts("[{\"log\": [" + one_step_log + "], " + images + "}]");
    server.faults(R"([{"method": "GET", "path": "/builds/", "every": 2, "times": 6,
                       "action": [{"status": 503}, {"reset": "before"}, {"status": 429}, {"reset": "after"}]},
                      {"path": "log-", "every": 2, "times": 6,
                       "action": [{"status": 503}, {"reset": "before"}, {"cut_answer": 20}]}])");
    cloud_building there(server);
    const auto seen = there.build();
    INFO(seen.words());
    CHECK(!seen.code);
    // All of it, and nothing twice.
    const std::string hello = "hello gr\u00fc\u00df\n";
    const std::size_t at = there.events.text.find(hello);
    REQUIRE(at != std::string::npos);
    CHECK(there.events.text.find(hello, at + 1) == std::string::npos);
    CHECK(there.events.names.size() == 2);
    CHECK(there.events.warnings.empty());
  }

  TEST_CASE("a log that may not be read is a warning, and the build ends as it does") {
    const google_server server({"--bucket", "box"});
    server.deny(R"([{"permission": "storage\\.objects\\.get", "resource": "log-"}])");
    server.scripts("[{\"log\": [" + one_step_log + "], " + images + "}]");
    cloud_building there(server);
    const auto seen = there.build();
    INFO(seen.words());
    CHECK(!seen.code);
    CHECK(!seen.value.images.empty());
    REQUIRE(there.events.warnings.size() == 1);
    CHECK(contains(there.events.warnings[0], "the log of the build is not shown"));
    CHECK(contains(there.events.warnings[0], "needed is storage.objects.get on gs://box"));
    CHECK(contains(there.events.warnings[0], "console.cloud.google.com"));
    CHECK(there.events.text.empty());
    // It is not asked for again and again.
    CHECK(server.count("GET", "/o/log-") == 1);
  }

  TEST_CASE("cancelled, the build is cancelled and what was sent for it removed") {
    const google_server server({"--bucket", "box"});
    server.scripts(R"([{"log": ["BUILD\n", 60]}])");
    cloud_building there(server);
    there.options.content_name.clear();
    auto seen = there.begin_build();
    asio::steady_timer timer(there.context, 700ms);
    timer.async_wait([&](error_code) { there.cancel.emit(asio::cancellation_type::terminal); });
    there.run();
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
    CHECK(server.count("POST", ":cancel") == 1);
    CHECK(!contains(server.control("GET", "buckets/box/objects", {}), ".tar.gz"));
    json::document builds;
    REQUIRE(!builds.parse(server.control("GET", "builds", {})));
    for (const json::value build : builds.root().elements())
      CHECK(build.find("status").string_or_empty() == "CANCELLED");
  }

  TEST_CASE("cancelled while a build is looked for whose answer was lost, it is stopped") {
    const google_server server({"--bucket", "box"});
    server.scripts(R"([{"log": ["BUILD\n", 60]}])");
    server.faults(R"([{"method": "POST", "path": "/builds$", "nth": 1, "action": {"reset": "after"}},)"
                  R"({"method": "GET", "path": "/builds$", "nth": 1, "action": {"delay": 5}}])");
    cloud_building there(server);
    auto seen = there.begin_build();
    asio::steady_timer timer(there.context, 1500ms);
    timer.async_wait([&](error_code) { there.cancel.emit(asio::cancellation_type::terminal); });
    there.run();
    CHECK(seen->code == condition::cancelled);
    CHECK(server.count("GET", "/builds") >= 2);
    CHECK(server.count("POST", ":cancel") == 1);
  }

  TEST_CASE("a wait that is over cancels the build, or leaves it and what it has to fetch") {
    const google_server server({"--bucket", "box"});
    for (const bool cancels : {true, false}) {
      server.forget_log();
      server.scripts(R"([{"log": ["BUILD\n", 60]}])");
      cloud_building there(server);
      there.options.wait.longest_wait = 500ms;
      there.options.wait.cancel_when_late = cancels;
      there.options.content_name.clear();
      const auto seen = there.build();
      CHECK(seen.code == condition::timed_out);
      CHECK(contains(seen.why.client_message(), cancels ? "it is cancelled" : "it goes on"));
      CHECK(server.count("POST", ":cancel") == (cancels ? 1 : 0));
      CHECK(contains(server.control("GET", "buckets/box/objects", {}), ".tar.gz") == !cancels);
    }
  }

  TEST_CASE("a wait ends at its limit whatever hangs, and a build that is over is told all the same") {
    const google_server server({"--bucket", "box"});
    struct row {
      const char* stalled;  // what is asked for and gets no answer
      bool over;            // whether the build is known to have ended then
    };
    for (const row& one : {row{R"("method": "GET", "path": "/builds/")", false},
                           row{R"("path": "/o/log-", "nth": 1)", false}, row{R"("path": "/o/log-")", true}}) {
      CAPTURE(one.stalled);
      server.no_faults();
      server.scripts(one.over ? "[{\"log\": [], " + images + "}]" : R"([{"log": ["BUILD\n", 60]}])");
      server.faults("{" + std::string(one.stalled) + R"(, "action": {"stall": 60}})");
      cloud_building there(server);
      there.options.wait.longest_wait = 700ms;
      const auto began = std::chrono::steady_clock::now();
      if (one.over) {
        // So that its log is first asked for at its end.
        there.options.wait.first_pause = 400ms;
      }
      const auto seen = there.build();
      CHECK(std::chrono::steady_clock::now() - began < 5s);
      if (one.over) {
        CHECK_MESSAGE(!seen.code, seen.words());
        CHECK(!seen.value.images.empty());
        CHECK(std::ranges::any_of(there.events.warnings,
                                  [](const auto& text) { return contains(text, "did not come in time"); }));
      } else {
        CHECK(seen.code == condition::timed_out);
        CHECK_MESSAGE(contains(seen.why.client_message(), "is not over after 0.700 s"), seen.words());
        CHECK(server.count("POST", ":cancel") >= 1);
      }
    }
  }

  TEST_CASE("a context that is there already is not sent, and stays") {
    const google_server server({"--bucket", "box"});
    for (int round = 0; round < 2; ++round) {
      server.forget_log();
      server.scripts("[{\"log\": [], " + images + "}]");
      cloud_building there(server);
      const auto seen = there.build();
      REQUIRE_MESSAGE(!seen.code, seen.words());
      CHECK(server.sum("content") == (round == 0 ? 1000 : 0));
      CHECK(seen.value.source.existed == (round == 1));
      CHECK(contains(server.control("GET", "buckets/box/objects", {}), "context/sha256-1.tar.gz"));
    }
  }

  TEST_CASE("one with a name by chance is removed, however the build ends") {
    const google_server server({"--bucket", "box"});
    for (const auto* status : {"SUCCESS", "FAILURE"}) {
      server.scripts(R"([{"log": [], "status": ")" + std::string(status) + "\", " + images + "}]");
      cloud_building there(server);
      there.options.content_name.clear();
      const auto seen = there.build();
      CHECK(static_cast<bool>(seen.code) == (std::string_view(status) == "FAILURE"));
      CHECK(!contains(server.control("GET", "buckets/box/objects", {}), ".tar.gz"));
    }
  }

  TEST_CASE("builds are listed, asked for, cancelled and run again") {
    const google_server server({"--bucket", "box"});
    server.scripts(R"([{"log": [60]}, {"log": []}])");
    cloud_building there(server);
    gcp::build_request request = there.options.request;
    request.source_bucket = "box";
    request.source_object = "x.tar.gz";
    request.logs_bucket = "gs://box";
    request.tags = {"mine"};
    const auto made = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
      gcp::async_create_build(there.google, there.options.where, request, why, std::move(token));
    });
    REQUIRE_MESSAGE(!made.code, made.words());
    gcp::build_list_options wanted;
    wanted.where = there.options.where;
    wanted.filter = "tags=\"mine\"";
    const auto listed = there.operation<std::vector<gcp::build_record>>([&](diagnostics& why, auto token) {
      gcp::async_list_builds(there.google, wanted, why, std::move(token));
    });
    REQUIRE(listed.value.size() == 1);
    CHECK(listed.value[0].id == made.value.id);
    const auto stopped = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
      gcp::async_cancel_build(there.google, there.options.where, made.value.id, why, std::move(token));
    });
    CHECK(!stopped.code);
    CHECK(stopped.value.status == gcp::build_status::cancelled);
    const auto again = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
      gcp::async_retry_build(there.google, there.options.where, made.value.id, why, std::move(token));
    });
    CHECK_MESSAGE(!again.code, again.words());
    CHECK(again.value.id != made.value.id);
    const auto absent = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
      gcp::async_get_build(there.google, there.options.where, "nothing-of-that-name", why, std::move(token));
    });
    CHECK(absent.code == condition::not_found);
  }
}

}  // namespace dockline::test
