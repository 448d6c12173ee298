// Builds at the tests' Cloud Build over a line that breaks: see broken_cloud.hpp. Whatever is lost, a build is started
// once at most; what succeeds is the right build, its log and its image.

#include "dockline/gcp/build.hpp"

#include "exchange/gcp/broken_cloud.hpp"
#include "support/scripted_source.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace dockline::test {
namespace {

// A log that tells which of its lines are missing or there twice, and what was pushed.
std::string lines_of_log() {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "line " + std::to_string(i) + '\n';
  return lines;
}
std::string script_of_build() {
  std::string log = lines_of_log();
  for (std::size_t at = 0; (at = log.find('\n', at)) != log.npos; at += 2) log.replace(at, 1, "\\n");
  return "[{\"log\": [\"" + log +
         "\", 0.02, \"end\\n\"], \"results\": {\"images\": [{\"name\": \"gcr.io/p/app:1\", " +
         "\"digest\": \"" + image_digest + "\"}]}}]";
}

// How many builds there are.
std::size_t builds_of(const google_server& google) {
  json::document told;
  REQUIRE(!told.parse(google.control("GET", "builds", {})));
  return told.root().elements().size();
}

gcp::build_place europe() {
  gcp::build_place where;
  where.region = "europe-west1";
  return where;
}

gcp::build_request request_of_app() {
  gcp::build_request what;
  what.source_bucket = "box";
  what.source_object = "x.tar.gz";
  what.logs_bucket = "gs://box";
  what.images = {"gcr.io/p/app:1"};
  return what;
}

// A build that was started over an undisturbed line.
gcp::build_record started_build(const broken_cloud& on, const std::string& script) {
  on.google().scripts(script);
  cloud there = on.undisturbed();
  const auto made = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
    gcp::async_create_build(there.google, europe(), request_of_app(), why, std::move(token));
  });
  REQUIRE_MESSAGE(!made.code, made.words());
  return made.value;
}

// The same, and it is over.
gcp::build_record ended_build(const broken_cloud& on) {
  const std::string id = started_build(on, script_of_build()).id;
  cloud there = on.undisturbed();
  gcp::wait_options soon;
  soon.first_pause = 5ms;
  const auto ended = there.operation<gcp::build_record>([&](diagnostics& why, auto token) {
    gcp::async_wait_for_build(there.google, europe(), id, soon, {}, why, std::move(token));
  });
  REQUIRE_MESSAGE(!ended.code, ended.words());
  return ended.value;
}

// What a build's events say.
struct broken_news {
  progress::event_sink sink() {
    return [this](const progress::event& what) {
      if (const auto* log = std::get_if<progress::step_log>(&what.body)) text += log->bytes;
      warned = warned || std::holds_alternative<progress::warning>(what.body);
    };
  }
  // All of the log, once; or a warning says that there is more.
  void check() const {
    if (warned) return;
    const std::size_t first = text.find("line 0\n");
    REQUIRE(first != std::string::npos);
    CHECK(text.substr(first) == lines_of_log() + "end\n");
  }

  std::string text;
  bool warned = false;
};

}  // namespace

TEST_SUITE("exchange/broken lines") {
  TEST_CASE("a build that is created over a line that breaks is created once, or that is an error") {
    broken_cloud on;
    std::size_t before = builds_of(on.google());
    on.break_everywhere<gcp::build_record>(
        "authorized_user", 8, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          on.google().scripts(R"([{"log": []}])");
          gcp::async_create_build(google, europe(), request_of_app(), why, std::move(token));
        },
        [&](const gcp::build_record& made) {
          CHECK(builds_of(on.google()) == before + 1);
          CHECK(on.google().control("GET", "builds", {}).find(made.id) != std::string::npos);
          CHECK(made.tags.size() == 1);
        },
        [&](bool, const gcp::build_record&) {
          const std::size_t now = builds_of(on.google());
          CHECK(now <= before + 1);
          before = now;
        });
  }

  TEST_CASE("a build is asked for, and builds are listed, again when their line breaks") {
    broken_cloud on;
    const gcp::build_record there = ended_build(on);
    on.break_everywhere<gcp::build_record>(
        "authorized_user", 8, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          gcp::async_get_build(google, europe(), there.id, why, std::move(token));
        },
        [&](const gcp::build_record& told) { CHECK(told.raw == there.raw); });
    std::vector<std::string> ids(1, there.id);
    for (int i = 0; i < 2; ++i) ids.insert(ids.begin(), ended_build(on).id);
    on.break_everywhere<std::vector<gcp::build_record>>(
        "authorized_user", 8, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          gcp::build_list_options options;
          options.where = europe();
          gcp::async_list_builds(google, options, why, std::move(token));
        },
        [&](const std::vector<gcp::build_record>& all) {
          std::vector<std::string> told;
          for (const auto& one : all) told.push_back(one.id);
          CHECK(told == ids);
        });
  }

  TEST_CASE("a build that is cancelled over a line that breaks is cancelled, or that is an error") {
    broken_cloud on;
    const std::string endless = R"([{"log": [600]}])";
    std::string id = started_build(on, endless).id;
    on.break_everywhere<gcp::build_record>(
        "authorized_user", 6, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          gcp::async_cancel_build(google, europe(), id, why, std::move(token));
        },
        [&](const gcp::build_record& told) {
          CHECK(told.id == id);
          CHECK(told.status == gcp::build_status::cancelled);
        },
        [&](bool succeeded, const gcp::build_record&) {
          if (succeeded) id = started_build(on, endless).id;
        });
  }

  TEST_CASE("a build is run again once at most, whatever is lost") {
    broken_cloud on;
    const std::string id = ended_build(on).id;
    std::size_t before = builds_of(on.google());
    on.break_everywhere<gcp::build_record>(
        // It is not asked for twice: one line that breaks is an error.
        "authorized_user", 8, broken_once::may_fail,
        [&](gcp::client& google, diagnostics& why, auto token) {
          on.google().scripts(R"([{"log": []}])");
          gcp::async_retry_build(google, europe(), id, why, std::move(token));
        },
        [&](const gcp::build_record& made) {
          CHECK(made.id != id);
          CHECK(builds_of(on.google()) == before + 1);
        },
        [&](bool, const gcp::build_record&) {
          const std::size_t now = builds_of(on.google());
          CHECK(now <= before + 1);
          before = now;
        });
  }

  TEST_CASE("a build that is waited for over a line that breaks: its end and all of its log, or an error") {
    broken_cloud on;
    std::string id;
    broken_news news;
    on.break_everywhere<gcp::build_record>(
        "authorized_user", 8, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          id = started_build(on, script_of_build()).id;
          news = broken_news();
          gcp::wait_options options;
          options.first_pause = 5ms;
          options.longest_pause = 20ms;
          options.longest_wait = 5s;
          gcp::async_wait_for_build(google, europe(), id, options, news.sink(), why, std::move(token));
        },
        [&](const gcp::build_record& ended) {
          CHECK(ended.id == id);
          CHECK(ended.status == gcp::build_status::success);
          news.check();
        });
  }

  TEST_CASE(
      "from a source to an image over a line that breaks: the image and the log, or an error, of one build") {
    broken_cloud on;
    broken_news news;
    std::size_t before = 0;
    on.break_everywhere<gcp::cloud_image>(
        "authorized_user", 12, broken_once::is_outlived,
        [&](gcp::client& google, diagnostics& why, auto token) {
          on.google().scripts(script_of_build());
          news = broken_news();
          gcp::cloud_build_options options;
          options.where = europe();
          options.bucket = "box";
          options.piece_size = granule;
          options.request.images = {"gcr.io/p/app:1"};
          options.wait.first_pause = 5ms;
          options.wait.longest_pause = 20ms;
          options.wait.longest_wait = 5s;
          const auto executor = google.get_executor();
          const auto source = [executor] { return std::make_shared<scripted_source>(executor, 3000); };
          gcp::async_build(google, source, options, news.sink(), why, std::move(token));
        },
        [&](const gcp::cloud_image& made) {
          CHECK(made.build.status == gcp::build_status::success);
          REQUIRE(made.images.size() == 1);
          CHECK(made.images[0].digest == image_digest);
          CHECK(made.source.size == 3000);
          CHECK(builds_of(on.google()) == before + 1);
          news.check();
        },
        [&](bool, const gcp::cloud_image&) {
          const std::size_t now = builds_of(on.google());
          CHECK(now <= before + 1);
          before = now;
        });
  }
}

}  // namespace dockline::test
