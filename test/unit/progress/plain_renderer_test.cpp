#include "dockline/progress/plain_renderer.hpp"

#include "unit/progress/log_event.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::chrono_literals;

struct timed {
  std::chrono::milliseconds at;
  event_body body;
};

// What is written for the events; `finish` also for what is kept until then.
std::string render(std::initializer_list<timed> events, bool finish = true) {
  std::string text;
  plain_renderer renderer([&](std::string_view lines) {
    CHECK(lines.ends_with('\n'));
    text += lines;
  });
  for (const auto& [at, body] : events) renderer.show({event_time(1'000'000s + at), body});
  if (finish) renderer.finish();
  return text;
}

}  // namespace

TEST_SUITE("progress/plain_renderer") {
  TEST_CASE("a build from its context to its tag") {
    CHECK(render({{0ms, context_progress{0, 0, 0, false}},
                  {100ms, context_progress{12, 1'500'000, 1'400'000, false}},
                  {200ms, context_progress{100, 9'000'000, 8'000'000, false}},
                  {400ms, context_progress{1234, 12'345'678, 12'345'678, true}},
                  {500ms, step_started{1, 3, "FROM debian:12"}},
                  {510ms, step_cached{1}},
                  {510ms, step_finished{1}},
                  {1000ms, step_started{2, 3, "RUN make"}},
                  {1412ms, log(2, "cc -o app app.c\n")},
                  {1500ms, log(2, "warning: x\nand y\n", output_stream::err)},
                  {2240ms, step_finished{2}},
                  {2240ms, step_started{3, 3, "COPY . /app"}},
                  {2250ms, step_finished{3}},
                  {2300ms, warning{"One or more build-args [X] were not consumed"}},
                  {2300ms, image_built{"sha256:0123"}},
                  {2300ms, image_tagged{"app:1"}}}) ==
          "#1 transferring context: 1.5MB 12 files\n"
          "#1 transferring context: 12.3MB 1,234 files\n"
          "#1 DONE 0.4s\n"
          "\n"
          "#2 [1/3] FROM debian:12\n"
          "#2 CACHED\n"
          "\n"
          "#3 [2/3] RUN make\n"
          "#3 0.412 cc -o app app.c\n"
          "#3 0.500 warning: x\n"
          "#3 0.500 and y\n"
          "#3 DONE 1.2s\n"
          "\n"
          "#4 [3/3] COPY . /app\n"
          "#4 DONE 0.0s\n"
          "\n"
          "WARNING: One or more build-args [X] were not consumed\n"
          "built sha256:0123\n"
          "tagged app:1\n");
  }

  TEST_CASE("a failed step") {
    CHECK(render({{0ms, step_started{3, 7, "RUN make"}},
                  {412ms, log(3, "error: no")},
                  {500ms, step_failed{3, 2, "returned a non-zero code: 2\nsee above"}}}) ==
          "#1 [3/7] RUN make\n#1 0.412 error: no\n#1 ERROR: returned a non-zero code: 2 see above\n\n");
  }

  TEST_CASE("the last lines of the step that the build failed by are written again at the end") {
    CHECK(render({{0ms, step_started{1, 2, "RUN a"}},
                  {100ms, step_failed{1, 2, "code 2", false, "one\n\x1b]0;t\x07two\n"}},
                  {200ms, step_started{2, 2, "RUN b"}},
                  {300ms, step_failed{2, {}, "canceled", true}}}) ==
          "#1 [1/2] RUN a\n#1 ERROR: code 2\n\n#2 [2/2] RUN b\n#2 CANCELED\n\n"
          "------\n > [1/2] RUN a:\none\ntwo\n------\n");
  }

  TEST_CASE("log bytes are cut anywhere; each stream has its own lines") {
    CHECK(render({{0ms, step_started{1, 1, "RUN a"}},
                  {100ms, log(1, "ha")},
                  {200ms, log(1, "oh", output_stream::err)},
                  {300ms, log(1, "lf\nnext")},
                  {400ms, log(1, " no\n", output_stream::err)},
                  {500ms, log(1, "\n\n")},
                  {600ms, log(1, "unfinished")}},
                 false) == "#1 [1/1] RUN a\n#1 0.300 half\n#1 0.400 oh no\n#1 0.500 next\n#1 0.500\n");
  }

  TEST_CASE("what is unfinished is written at the step's end, or by finish()") {
    CHECK(render({{0ms, step_started{1, 2, "RUN a"}},
                  {100ms, log(1, "last")},
                  {900ms, step_finished{1}},
                  {900ms, step_started{2, 2, "RUN b"}},
                  {1000ms, log(2, "cut", output_stream::err)}}) ==
          "#1 [1/2] RUN a\n#1 0.100 last\n#1 DONE 0.9s\n\n#2 [2/2] RUN b\n#2 0.100 cut\n");
  }

  TEST_CASE("of a line that overwrites itself, the last state is shown") {
    CHECK(
        render({{0ms, step_started{1, 1, "RUN a"}},
                {0ms, log(1, "10%\r50%\r100%\nwindows\r\n")},
                {0ms, log(1, "cut\r")},
                {0ms, log(1, "\nover\r")},
                {0ms, log(1, "\rwritten\n")},
                {0ms, log(1, "stays\r")}}) ==
        "#1 [1/1] RUN a\n#1 0.000 100%\n#1 0.000 windows\n#1 0.000 cut\n#1 0.000 written\n#1 0.000 stays\n");
  }

  TEST_CASE("a progress bar without end is not kept, and neither is a line without end") {
    std::string text;
    plain_renderer renderer([&](std::string_view lines) { text += lines; });
    renderer.show({{}, log(0, "")});
    for (int i = 0; i < 10'000; ++i) renderer.show({{}, log(0, "\r" + std::string(100, 'x'))});
    CHECK(text.empty());
    // At most 16 KiB are held, and no written line is longer.
    std::size_t held = 0;
    for (std::size_t i = 1; i <= 1000; ++i) {
      renderer.show({{}, log(0, std::string(100, 'y'))});
      held = std::max(held, i * 100 - static_cast<std::size_t>(std::ranges::count(text, 'y')));
    }
    CHECK(held < 16 * 1024);
    CHECK(held >= 16 * 1024 - 100);
    CHECK(text.find('\n') == 16 * 1024);
    renderer.finish();
    CHECK(text.size() >= 100'000);
    CHECK(text.size() < 100'200);
  }

  TEST_CASE("nothing from outside reaches the terminal as a command") {
    CHECK(render({{0ms, step_started{1, 1, "RUN \x1b[2Ja\nb"}},
                  {0ms, log(1, "\x1b[31mred\x1b[0m\tx\x07\n\x1b[3")},
                  {0ms, log(1, "1mcut\n")},
                  {0ms, layer_progress{"\x1b[Aid", "\x1b[Bs", 0, 0}},
                  {0ms, step_failed{1, {}, "\x1b]0;t\x07why"}},
                  {0ms, warning{"\x1b[2Jw"}},
                  {0ms, image_built{"\x1b[2Ji"}},
                  {0ms, image_tagged{"\x1b[2Jt"}}}) ==
          "#1 [1/1] RUN a b\n#1 0.000 red\tx\n#1 0.000 cut\n#1 id: s\n#1 ERROR: why\n\n"
          "WARNING: w\nbuilt i\ntagged t\n");
  }

  TEST_CASE("layers: each new status, and what goes on every five seconds") {
    CHECK(render({{0ms, step_started{1, 1, "FROM a"}},
                  {0ms, layer_progress{"v1", "Pulling from a", 0, 0}},
                  {0ms, layer_progress{"aa", "Downloading", 69'213, 6'002'144}},
                  {0ms, layer_progress{"bb", "Downloading", 999, 0}},
                  {4900ms, layer_progress{"aa", "Downloading", 100'000, 6'002'144}},
                  {5000ms, layer_progress{"aa", "Downloading", 999'600, 6'002'144}},
                  {5000ms, layer_progress{"aa", "Pull complete", 0, 0}},
                  {5000ms, layer_progress{"", "Digest: x", 0, 0}},
                  {5000ms, layer_progress{"", "Digest: x", 0, 0}},
                  {6000ms, step_finished{1}},
                  {6000ms, layer_progress{"cc", "Pushed", 0, 0}}}) ==
          "#1 [1/1] FROM a\n"
          "#1 v1: Pulling from a\n"
          "#1 aa: Downloading 69.2kB / 6MB\n"
          "#1 bb: Downloading 999B\n"
          "#1 aa: Downloading 1MB / 6MB\n"
          "#1 aa: Pull complete\n"
          "#1 Digest: x\n"
          "#1 Digest: x\n"
          "#1 DONE 6.0s\n"
          "\n"
          "cc: Pushed\n");
  }

  TEST_CASE("a push, a pull and a load end with what they were about") {
    CHECK(render({{0ms, layer_progress{"", "The push refers to repository [a]", 0, 0}},
                  {0ms, layer_progress{"aa", "Pushing", 512, 1024, layer_phase::pushing}},
                  {10ms, layer_progress{"aa", "Pushing", 2048, 1024, layer_phase::pushing}},
                  {20ms, layer_progress{"aa", "Pushed", 0, 0, layer_phase::pushed}},
                  {20ms, transfer_finished{"v\x1b[2J1", "sha256:1", 5}},
                  {20ms, transfer_finished{"", "", 0}},
                  {20ms, image_loaded{"\x1b[2Jl"}}}) ==
          "The push refers to repository [a]\n"
          "aa: Pushing 512B / 1.02kB\n"
          "aa: Pushed\n"
          "v1: done sha256:1\n"
          "done\n"
          "loaded l\n");
  }

  TEST_CASE(
      "of steps that run at the same time each says its title when there is news of it, and when it is the "
      "last") {
    CHECK(render({{0ms, step_started{1, 0, "RUN a"}},
                  {0ms, step_started{2, 0, "RUN b"}},
                  {100ms, log(1, "from a\n")},
                  {100ms, warning{"in between"}},
                  {200ms, log(1, "more\n")},
                  {200ms, step_finished{1}},
                  {300ms, log(2, "from b\n")},
                  {400ms, step_finished{2}}}) ==
          "#1 [1] RUN a\n#1 0.100 from a\nWARNING: in between\n"
          "#1 0.200 more\n#1 DONE 0.2s\n\n#2 [2] RUN b\n#2 0.300 from b\n#2 DONE 0.4s\n\n");
  }

  TEST_CASE("logs of no step, and of a step that never started") {
    CHECK(render({{0ms, log(0, "alone\n")}, {0ms, log(5, "lost\n")}, {0ms, step_finished{5}}}) ==
          "alone\n#1 [5]\n#1 0.000 lost\n#1 DONE 0.0s\n\n");
  }

  TEST_CASE("the context's size is told once a second, and what was sent where that is less") {
    CHECK(render({{0ms, context_progress{1, 10, 5, false}},
                  {900ms, context_progress{2, 20, 5, false}},
                  {1000ms, context_progress{3, 999'600, 5, false}},
                  {1100ms, context_progress{1'234'567, 12'000'000'000, 3'100'000'000, true}}}) ==
          "#1 transferring context: 10B 1 file\n"
          "#1 transferring context: 1MB 3 files\n"
          "#1 transferring context: 12GB 1,234,567 files, 3.1GB sent\n"
          "#1 DONE 1.1s\n\n");
  }

  TEST_CASE("an archive that is passed on is its bytes alone") {
    CHECK(render({{0ms, context_progress{0, 0, 0, false}},
                  {100ms, context_progress{0, 0, 300'000, false}},
                  {200ms, context_progress{0, 0, 1'400'000, true}}}) ==
          "#1 transferring context: 300kB\n"
          "#1 transferring context: 1.4MB\n"
          "#1 DONE 0.2s\n\n");
  }

  TEST_CASE("a clock that goes back does no harm") {
    CHECK(render({{500ms, step_started{1, 1, "RUN a"}}, {0ms, log(1, "x\n")}, {0ms, step_finished{1}}}) ==
          "#1 [1/1] RUN a\n#1 0.000 x\n#1 DONE 0.0s\n\n");
  }
}

}  // namespace dockline::progress
