#include "buildkit/trace.hpp"

#include "dockline/progress/plain_renderer.hpp"

#include "buildkit/trace_message.hpp"
#include "http/json_lines.hpp"
#include "progress/build_messages.hpp"
#include "support/event_listing.hpp"
#include "support/status_response.hpp"
#include "support/test_data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dockline::buildkit {
namespace {

using namespace std::chrono_literals;
using progress::event;
using progress::event_time;
using response = test::status_response;

event_time at(std::int64_t milliseconds) {
  return event_time(std::chrono::seconds(1'790'000'000) + std::chrono::milliseconds(milliseconds));
}

struct listener {
  listener()
      : told([this](const event& what) {
          lines += progress::list_event(what) + '\n';
          last = what.time;
        }) {}
  std::string take() { return std::exchange(lines, {}); }

  std::string lines;
  event_time last;
  trace told;
};

// What a whole answer tells, and how plain lines show it.
std::string decode(std::string_view answer) {
  std::string events;
  std::string shown;
  progress::plain_renderer plain([&](std::string_view lines) { shown += lines; });
  const progress::event_sink sink = [&](const event& what) {
    events += progress::list_event(what) + '\n';
    plain.show(what);
  };
  trace told(sink);
  trace_messages finder;
  event_time now = at(0);
  progress::build_messages messages(sink, [&](std::string_view message) {
    const auto status = finder.find(message);
    if (!status) {
      events += "unknown " + std::string(message.substr(0, 60)) + '\n';
      return;
    }
    CHECK_FALSE(told.add(*status, now));
  });
  http::json_lines lines;
  lines.feed(answer);
  for (;;) {
    const auto message = lines.next();
    if (!message || !*message) break;
    now += 10ms;
    CHECK_FALSE(messages.add(**message, now));
  }
  told.finish(now, messages.failure() != nullptr);
  const error_code code = messages.finish(now);
  plain.finish();
  events += "outcome: " + (code ? code.message() : "built " + messages.image_id()) + '\n';
  if (const failed_step* failed = told.failure()) {
    events += "failed step " + std::to_string(failed->index) + '/' + std::to_string(failed->total) + ' ' +
              failed->instruction +
              " exit_code=" + (failed->exit_code ? std::to_string(*failed->exit_code) : "none") +
              "\nlog_tail: " + progress::in_quotes(failed->log_tail) + '\n';
  }
  return events + "\n" + shown;
}

}  // namespace

TEST_SUITE("buildkit/trace") {
  TEST_CASE("recorded sessions give the events and the lines of their listing") {
    const auto found = recordings("traces");
    CHECK(found.size() >= 15);
    for (const auto& path : found) {
      CAPTURE(path.filename().string());
      const std::string listing = decode(read_file(path));
      auto golden = path;
      golden.replace_extension(".listing");
      if (std::getenv("DOCKLINE_RENEW_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << listing;
      CHECK(listing == read_file(golden));
    }
  }

  TEST_CASE("a title has its place and its instruction") {
    struct {
      const char* title;
      const char* stage;
      int index;
      int total;
      const char* instruction;
    } const cases[] = {
        {"[builder 2/14] RUN make", "builder", 2, 14, "RUN make"},
        {"[2/4] COPY [a, b]", "", 2, 4, "COPY [a, b]"},
        {"[internal] load build context", "internal", 0, 0, "load build context"},
        {"[linux/amd64 stage-1 1/2] FROM a", "linux/amd64 stage-1", 1, 2, "FROM a"},
        {"exporting to image", "", 0, 0, "exporting to image"},
        {"[x 1/y] z", "x 1/y", 0, 0, "z"},
        {"[no end", "", 0, 0, "[no end"},
        {"", "", 0, 0, ""},
    };
    for (const auto& expected : cases) {
      CAPTURE(expected.title);
      const step_place place = read_step_title(expected.title);
      CHECK(place.stage == expected.stage);
      CHECK(place.index == expected.index);
      CHECK(place.total == expected.total);
      CHECK(place.instruction == expected.instruction);
    }
  }

  TEST_CASE("steps are numbered as they start, and what one message tells of a step comes before its end") {
    listener heard;
    CHECK_FALSE(
        heard.told.add(response().vertex("b", "[1/2] FROM a").vertex("c", "[2/2] RUN b").bytes(), at(1)));
    CHECK(heard.take().empty());
    CHECK_FALSE(heard.told.add(response().vertex("c", "[2/2] RUN b", 100).bytes(), at(100)));
    CHECK(heard.take() == "step_started 1/2 \"RUN b\" \"[2/2] RUN b\"\n");
    CHECK_FALSE(heard.told.add(response()
                                   .vertex("c", "[2/2] RUN b", 100, 300)
                                   .log("c", 1, "out", 200)
                                   .log("c", 2, "err", 250)
                                   .log("nobody", 1, "x", 250)
                                   .status("c", "extracting", 5, 10, 260)
                                   .bytes(),
                               at(300)));
    CHECK(heard.take() ==
          "step_status 1 \"extracting\" 5/10\nstep_log 1 out \"out\"\nstep_log 1 err \"err\"\n"
          "step_log 0 out \"x\"\nstep_finished 1\n");
    CHECK(heard.last == at(300));
    CHECK_FALSE(heard.told.add(response().vertex("b", "[1/2] FROM a", 310, 310, true).bytes(), at(310)));
    CHECK(heard.take() == "step_started 2/2 \"FROM a\" \"[1/2] FROM a\"\nstep_cached 2\nstep_finished 2\n");
  }

  TEST_CASE("the look at a step's cache key is not a run of its own") {
    listener heard;
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 100, 101).bytes(), at(101)));
    CHECK(heard.take() == "step_started 1/1 \"x\" \"x\"\n");
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 102).bytes(), at(102)));
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 102, 200).bytes(), at(200)));
    CHECK(heard.take() == "step_finished 1\n");
    // It stays ended: told with the next message after a while, and at the end at the latest.
    CHECK_FALSE(
        heard.told.add(response().vertex("b", "y", 300, 301).vertex("c", "z", 300, 301).bytes(), at(301)));
    heard.take();
    CHECK_FALSE(
        heard.told.add(response().vertex("d", "w", 350, 351).log("b", 1, "late", 350).bytes(), at(351)));
    // Of b and c as what came before, also where the message tells of something else that b did.
    CHECK(heard.take() ==
          "step_finished 2\nstep_finished 3\nstep_started 4/4 \"w\" \"w\"\nstep_log 2 out \"late\"\n");
    heard.told.finish(at(352), false);
    CHECK(heard.take() == "step_finished 4\n");
    // Taken up again after that: the same number.
    listener again;
    CHECK_FALSE(again.told.add(response().vertex("a", "x", 100, 200).bytes(), at(200)));
    CHECK_FALSE(again.told.add(response().vertex("a", "x", 300, 400).bytes(), at(400)));
    CHECK(again.take() ==
          "step_started 1/1 \"x\" \"x\"\nstep_finished 1\nstep_started 1/1 \"x\" \"x\"\nstep_finished 1\n");
  }

  TEST_CASE("a step fails with its exit code, its place and its last lines; others are cancelled") {
    listener heard;
    CHECK_FALSE(heard.told.add(
        response().vertex("a", "[s 2/3] RUN make", 100).vertex("b", "[t 1/1] RUN other", 100).bytes(),
        at(100)));
    CHECK_FALSE(heard.told.add(response().log("a", 1, "one\ntwo\n", 150).bytes(), at(150)));
    heard.take();
    CHECK_FALSE(heard.told.add(
        response()
            .vertex("b", "[t 1/1] RUN other", 100, 200, false, "process \"x\": context canceled")
            .vertex("a", "[s 2/3] RUN make", 100, 200, false,
                    "process \"make\" did not complete successfully: exit code: 2")
            .bytes(),
        at(200)));
    CHECK(heard.take() ==
          "step_failed 2 exit_code=none \"process \\\"x\\\": context canceled\" cancelled\n"
          "step_failed 1 exit_code=2 \"process \\\"make\\\" did not complete successfully: exit code: 2\"\n");
    REQUIRE(heard.told.failure() != nullptr);
    CHECK(heard.told.failure()->index == 2);
    CHECK(heard.told.failure()->total == 3);
    CHECK(heard.told.failure()->instruction == "RUN make");
    CHECK(heard.told.failure()->exit_code == 2);
    CHECK(heard.told.failure()->log_tail == "one\ntwo\n");
    CHECK(heard.told.failed_title() == "[s 2/3] RUN make");
  }

  TEST_CASE("a cache that is not there is not what a build fails by") {
    listener heard;
    heard.told.add(response()
                       .vertex("c", "importing cache manifest from h:5000/app:1", 1, 2, false, "not found")
                       .vertex("a", "[2/2] RUN make", 3, 100, false,
                               "process \"make\" did not complete successfully: exit code: 2")
                       .bytes(),
                   at(200));
    heard.told.finish(at(300), true);
    CHECK(heard.take().find("not found") != std::string::npos);
    REQUIRE(heard.told.failure() != nullptr);
    CHECK(heard.told.failure()->instruction == "RUN make");
    CHECK(heard.told.failure()->exit_code == 2);
    CHECK(heard.told.failed_title() == "[2/2] RUN make");
  }

  TEST_CASE("steps of a group are one, which is shown when one that is worth it starts") {
    listener heard;
    CHECK_FALSE(heard.told.add(response()
                                   .vertex("a", "x", 100, 0, false, {}, "g", true)
                                   .vertex("b", "y", 0, 0, false, {}, "g")
                                   .bytes(),
                               at(100)));
    CHECK(heard.take().empty());
    CHECK_FALSE(heard.told.add(response().vertex("b", "y", 110, 0, false, {}, "g").bytes(), at(110)));
    CHECK(heard.take() == "step_started 1/1 \"group g\" \"group g\"\n");
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 100, 200, false, {}, "g", true).bytes(), at(200)));
    CHECK(heard.take().empty());
    CHECK_FALSE(heard.told.add(response().vertex("b", "y", 110, 210, true, {}, "g").bytes(), at(210)));
    CHECK(heard.take() == "step_finished 1\n");
  }

  TEST_CASE("a warning has its lines") {
    listener heard;
    CHECK_FALSE(
        heard.told.add(response().vertex("a", "x", 100).warning("a", "Odd: thing", 2, 4).bytes(), at(100)));
    CHECK(
        heard.take() ==
        "step_started 1/1 \"x\" \"x\"\nwarning \"Odd: thing\" of 1 \"Dockerfile\":2-4 \"more\" https://x\n");
  }

  TEST_CASE("a daemon's clock that is wrong is put right, one that is nearly right is believed") {
    listener heard;
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 100).bytes(), at(90'000)));
    CHECK(heard.last == at(90'000));
    CHECK_FALSE(heard.told.add(response().vertex("a", "x", 100, 5'100).bytes(), at(96'000)));
    CHECK(heard.last == at(95'000));
    listener near;
    CHECK_FALSE(near.told.add(response().vertex("a", "x", 100).bytes(), at(1'000)));
    CHECK(near.last == at(100));
  }

  TEST_CASE("what runs when the build ends is over, or cancelled when it failed") {
    for (const bool failed : {false, true}) {
      listener heard;
      CHECK_FALSE(heard.told.add(response().vertex("a", "x", 100).bytes(), at(100)));
      heard.take();
      heard.told.finish(at(200), failed);
      CHECK(heard.take() ==
            (failed ? "step_failed 1 exit_code=none \"context canceled\" cancelled\n" : "step_finished 1\n"));
      CHECK(heard.told.failure() == nullptr);
    }
  }

  TEST_CASE("a message that is cut is refused, and a flood of steps costs no memory without end") {
    listener heard;
    const std::string whole = response().vertex("a", "x", 100).bytes();
    for (std::size_t size = 1; size < whole.size(); ++size)
      CHECK(heard.told.add(std::string_view(whole).substr(0, size), at(1)) == errc::malformed_message);
    CHECK(heard.take().empty());
    for (int i = 0; i < 25'000; ++i)
      CHECK_FALSE(heard.told.add(response().vertex(std::to_string(i), "x", 100).bytes(), at(1)));
    CHECK(std::count(heard.lines.begin(), heard.lines.end(), '\n') == 20'000);
  }

  TEST_CASE("names of steps are kept up to 16 MiB together, and no step beyond them") {
    listener heard;
    // With its digest of four letters.
    constexpr std::size_t mebibyte = std::size_t{1} << 20;
    const std::string name(mebibyte - 4, 'n');
    const auto add = [&](const std::string& digest, const std::string& title) {
      CHECK_FALSE(heard.told.add(response().vertex(digest, title, 100).bytes(), at(1)));
      return std::ranges::count(heard.take(), '\n');
    };
    for (int i = 0; i < 16; ++i) CHECK(add(std::to_string(1000 + i), name) == 1);
    CHECK(add("a", "") == 0);
  }

  TEST_CASE("a trace is found among a build's messages") {
    trace_messages finder;
    CHECK(finder.find(R"({"id":"moby.buildkit.trace","aux":"YWI="})") == "ab");
    CHECK(finder.find(R"({ "aux":"YWI=", "id":"moby.buildkit.trace"})") == "ab");
    CHECK_FALSE(finder.find(R"({"id":"moby.buildkit.trace","aux":"Y?I="})"));
    CHECK_FALSE(finder.find(R"({"id":"moby.image.id","aux":{"ID":"x"}})"));
    CHECK_FALSE(finder.find(R"({"id":"moby.buildkit.trace"})"));
    CHECK_FALSE(finder.find("{"));
  }
}

}  // namespace dockline::buildkit
