// How results are shown: sizes, ages, tables, rows of images, lines of events, JSON.

#include "commands/event_line.hpp"
#include "commands/image_rows.hpp"
#include "commands/pinned_name.hpp"
#include "human.hpp"
#include "json_text.hpp"
#include "table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::tool {
namespace {

const std::string id(64, 'a');
const std::string digest = "sha256:" + std::string(64, 'd');

engine::image_summary image(std::vector<std::string> tags, std::vector<std::string> digests,
                            std::int64_t created) {
  engine::image_summary one;
  one.id = "sha256:" + id;
  one.repo_tags = std::move(tags);
  one.repo_digests = std::move(digests);
  one.created = created;
  one.size = 1985717;
  return one;
}

}  // namespace

TEST_SUITE("tools/shown") {
  TEST_CASE("sizes as docker prints them") {
    struct row {
      std::int64_t bytes;
      std::string_view text;
    };
    const row rows[] = {{0, "0B"},
                        {999, "999B"},
                        {1000, "1kB"},
                        {1985717, "1.99MB"},
                        {12'345'678, "12.3MB"},
                        {999'400'000, "999MB"},
                        {999'600'000, "1GB"},
                        {1'500'000'000'000, "1.5TB"}};
    for (const auto& one : rows) CHECK(human_size(one.bytes) == one.text);
  }

  TEST_CASE("ages as docker prints them") {
    struct row {
      std::int64_t seconds;
      std::string_view text;
    };
    constexpr std::int64_t hour = 3600;
    const row rows[] = {{0, "Less than a second"},
                        {1, "1 second"},
                        {59, "59 seconds"},
                        {60, "About a minute"},
                        {120, "2 minutes"},
                        {59 * 60, "59 minutes"},
                        {hour, "About an hour"},
                        {hour * 3 / 2, "2 hours"},
                        {47 * hour, "47 hours"},
                        {48 * hour, "2 days"},
                        {14 * 24 * hour, "2 weeks"},
                        {60 * 24 * hour, "2 months"},
                        {2 * 365 * 24 * hour, "2 years"}};
    for (const auto& one : rows) CHECK(human_duration(one.seconds) == one.text);
    CHECK(human_age(1'700'000'000, 1'700'000'120) == "2 minutes ago");
    CHECK(human_age(0, 1) == "N/A");
    CHECK(human_age(-62135596800, 1) == "N/A");
    CHECK(short_id("sha256:" + id) == "aaaaaaaaaaaa");
    CHECK(short_id("abc") == "abc");
  }

  TEST_CASE("tables line up by characters, and obey nobody") {
    CHECK(table_text({{"A", "B", "C"}, {"caf\xc3\xa9", "x", "y"}, {"\x1b[31mred", "longer", ""}}) ==
          "A      B        C\n"
          "caf\xc3\xa9   x        y\n"
          "red    longer   \n");
    CHECK(table_text({}) == "");
  }

  TEST_CASE("images: a row a name, newest first") {
    image_view view;
    const auto rows = image_rows(
        {image({"old:1"}, {}, 100), image({"h:5000/app:1", "h:5000/app:2"}, {"h:5000/app@" + digest}, 200),
         image({}, {}, 50)},
        view);
    CHECK(image_table(rows, view, 1000) ==
          "REPOSITORY   TAG      IMAGE ID       CREATED          SIZE\n"
          "h:5000/app   1        aaaaaaaaaaaa   13 minutes ago   1.99MB\n"
          "h:5000/app   2        aaaaaaaaaaaa   13 minutes ago   1.99MB\n"
          "old          1        aaaaaaaaaaaa   15 minutes ago   1.99MB\n"
          "<none>       <none>   aaaaaaaaaaaa   15 minutes ago   1.99MB\n");
    CHECK(image_ids(rows, view) == "aaaaaaaaaaaa\naaaaaaaaaaaa\naaaaaaaaaaaa\naaaaaaaaaaaa\n");
    view.whole_ids = true;
    CHECK(image_ids({rows[0]}, view) == "sha256:" + id + "\n");
    view.digests = true;
    CHECK(image_table({rows[0]}, view, 1000).find(digest) != std::string::npos);
    CHECK(image_json({rows[0], rows[3]}) ==
          R"({"id":"sha256:)" + id + R"(","repository":"h:5000/app","tag":"1","digest":")" + digest +
              R"(","created":200,"size":1985717})" + "\n" + R"({"id":"sha256:)" + id +
              R"(","repository":null,"tag":null,"digest":null,"created":50,"size":1985717})" + "\n");
  }

  TEST_CASE("images: of an image that is meant by one of its names, only that") {
    const auto all = image_rows({image({"docker.io/library/app:1", "h:5000/app:2", "other:1"}, {}, 1)}, {});
    const auto kept = [&](std::string_view name) {
      auto rows = all;
      keep_named(rows, name);
      return rows.size();
    };
    CHECK(kept("app") == 2);
    CHECK(kept("app:1") == 1);
    CHECK(kept("h:5000/app") == 1);
    CHECK(kept("h:5000/app:1") == 0);
    CHECK(kept("pp") == 0);
    CHECK(kept("*/app") == 3);
  }

  TEST_CASE("images: without a tag, digests are names where they are shown") {
    image_view view;
    const auto pulled = image({}, {"a@" + digest, "b@" + digest}, 1);
    CHECK(image_rows({pulled}, view).size() == 1);
    view.digests = true;
    const auto rows = image_rows({pulled}, view);
    REQUIRE(rows.size() == 2);
    CHECK(rows[1].repository == "b");
    CHECK(rows[1].digest == digest);
    CHECK(rows[1].tag == "");
  }

  TEST_CASE("a line of an event") {
    engine::daemon_event event;
    event.type = "container";
    event.action = "start";
    event.id = "c1";
    event.time = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000) +
                                                       std::chrono::nanoseconds(5));
    CHECK(event_line(event) == "2023-11-14T22:13:20.000000005Z container start c1");
    event.attributes = {{"name", "web"}, {"image", "app\n:1"}};
    CHECK(event_line(event) == "2023-11-14T22:13:20.000000005Z container start c1 (image=app :1, name=web)");
  }

  TEST_CASE("names are pinned to a digest") {
    CHECK(pinned_name("h:5000/app:1", digest) == "h:5000/app@" + digest);
    CHECK(pinned_name("h:5000/app", digest) == "h:5000/app@" + digest);
    CHECK(pinned_name("app@sha256:0", digest) == "app@" + digest);
  }

  TEST_CASE("JSON: our objects, and the daemon's with every digit of its numbers") {
    json_object line;
    line.add("text", "a\"b\n").add("number", std::int64_t{-5}).add("truth", true).add_null("nothing");
    line.add("list", std::vector<std::string>{"x", "y"}).add_known("unknown", "");
    CHECK(line.line() ==
          "{\"text\":\"a\\\"b\\n\",\"number\":-5,\"truth\":true,\"nothing\":null,\"list\":[\"x\",\"y\"],"
          "\"unknown\":null}\n");
    const std::string theirs = "{ \"a\" : 12345678901234567890.10,\n \"b\": [ ], \"c\":{\"d\":1}}\n";
    CHECK(on_one_line(theirs) == R"({"a":12345678901234567890.10,"b":[],"c":{"d":1}})");
    CHECK(indented_array({theirs}) ==
          "[\n    {\n        \"a\": 12345678901234567890.10,\n        \"b\": [],\n        \"c\": {\n         "
          "   "
          "\"d\": 1\n        }\n    }\n]");
    CHECK(indented_array({}) == "[]");
  }
}

}  // namespace dockline::tool
