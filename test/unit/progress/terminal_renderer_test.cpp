#include "dockline/progress/terminal_renderer.hpp"

#include "progress/display_state.hpp"
#include "support/screen.hpp"
#include "unit/progress/log_event.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::chrono_literals;

// A renderer with the terminal that it draws on. After every write the terminal is as it was, with the cursor
// at the start of a line.
class session {
 public:
  explicit session(int width = 60, int height = 10, std::string title = "Building", bool colour = false)
      : shown(width, height), renderer_(options(width, height, std::move(title), colour)) {}

  session& at(std::chrono::milliseconds time, event_body body) {
    now_ = event_time(1'000'000s + time);
    renderer_.show({now_, std::move(body)});
    return *this;
  }
  std::string tick(std::chrono::milliseconds time) {
    now_ = event_time(1'000'000s + time);
    return write(renderer_.tick(now_));
  }
  std::string above(std::string_view lines) { return write(renderer_.above(lines, now_)); }
  void resize(int width, int height) {
    shown.resize(width, height);
    write(renderer_.resize(width, height, now_));
  }
  std::string redraw() { return write(renderer_.redraw(now_)); }
  std::string finish(error_code outcome = {}) { return write(renderer_.finish(now_, outcome)); }

  screen shown;

 private:
  static terminal_options options(int width, int height, std::string title, bool colour) {
    terminal_options chosen;
    chosen.title = std::move(title);
    chosen.width = width;
    chosen.height = height;
    chosen.colour = colour;
    return chosen;
  }
  std::string write(std::string bytes) {
    shown.write(bytes);
    CHECK(shown.is_sane());
    CHECK(shown.unknown() == 0);
    CHECK(shown.wrapped() == 0);
    CHECK(shown.cursor_column() == 0);
    return bytes;
  }

  terminal_renderer renderer_;
  event_time now_;
};

}  // namespace

TEST_SUITE("progress/terminal_renderer") {
  TEST_CASE("a build from its context to its tag") {
    session build;
    build.at(0ms, context_progress{0, 0, 0, false});
    build.at(200ms, context_progress{12, 1'500'000, 1'400'000, false}).tick(200ms);
    CHECK(build.shown.text() ==
          "[+] Building 0.2s\n"
          " => transferring context: 1.5MB 12… [  <=>     ] 7MB/s 0.2s\n");
    build.at(400ms, context_progress{1234, 12'345'678, 12'345'678, true});
    build.at(500ms, step_started{1, 3, "FROM debian:12"}).tick(500ms);
    CHECK(build.shown.text() ==
          " => transferring context: 12.3MB 1,234 files      DONE 0.4s\n"
          "[+] Building 0.5s (0/3)\n"
          " => [1/3] FROM debian:12                               0.0s\n");
    build.at(510ms, step_cached{1}).at(510ms, step_finished{1});
    build.at(1000ms, step_started{2, 3, "RUN make"}).at(1400ms, log(2, "cc a\ncc b\nhalf")).tick(2200ms);
    CHECK(build.shown.text() ==
          " => transferring context: 12.3MB 1,234 files      DONE 0.4s\n"
          " => [1/3] FROM debian:12                        CACHED 0.0s\n"
          "[+] Building 2.2s (1/3)\n"
          " => [2/3] RUN make                                     1.2s\n"
          " => => # cc a\n"
          " => => # cc b\n"
          " => => # half\n");
    build.at(2500ms, step_finished{2}).at(2500ms, step_started{3, 3, "COPY . /app"});
    build.at(2600ms, step_finished{3}).at(2600ms, image_built{"sha256:0123"});
    build.at(2600ms, image_tagged{"app:1"}).finish();
    CHECK(build.shown.text() ==
          " => transferring context: 12.3MB 1,234 files      DONE 0.4s\n"
          " => [1/3] FROM debian:12                        CACHED 0.0s\n"
          " => [2/3] RUN make                                DONE 1.5s\n"
          " => [3/3] COPY . /app                             DONE 0.1s\n"
          "built sha256:0123\n"
          "tagged app:1\n"
          "[+] Building 2.6s (3/3) FINISHED\n");
  }

  TEST_CASE("a failed build leaves the last lines of the step, and not the reason, which the caller says") {
    session build;
    build.at(0ms, step_started{2, 3, "RUN make"}).at(412ms, log(2, "cc a\r\nbad\x1b[2J")).tick(450ms);
    for (int i = 0; i < 30; ++i) build.at(500ms, log(2, "\nline " + std::to_string(i)));
    build.at(800ms, step_failed{2, 2, "returned a non-zero code: 2"}).finish(errc::build_failed);
    const std::string text = build.shown.text();
    CHECK(
        text.starts_with(" => [2/3] RUN make                               ERROR 0.8s\n"
                         "------\n"
                         " > [2/3] RUN make:\n"
                         "0.500 line 10\n"));
    CHECK(text.ends_with("0.800 line 29\n------\n[+] Building 0.8s (0/3) FAILED\n"));
    CHECK(text.find("non-zero") == text.npos);
    CHECK(build.finish() == "");
    CHECK(build.tick(5000ms) == "");
  }

  TEST_CASE("what was not over is marked, and what the terminal echoed is gone") {
    session build;
    build.at(0ms, context_progress{1, 2048, 10, false}).at(0ms, step_started{1, 2, "RUN sleep"}).tick(0ms);
    build.shown.write("^C\r");
    build.at(1500ms, log(1, "x")).finish(boost::asio::error::operation_aborted);
    CHECK(build.shown.text() ==
          " => transferring context: 2.05kB 1 file       CANCELED 1.5s\n"
          " => [1/2] RUN sleep                           CANCELED 1.5s\n"
          "[+] Building 1.5s (0/2) CANCELED\n");
  }

  TEST_CASE("only the lines that changed are written, and at most ten times a second") {
    session build;
    build.at(0ms, step_started{1, 2, "RUN make"}).at(0ms, log(1, "first\nsecond\n"));
    CHECK(build.tick(0ms).find("second") != std::string::npos);
    CHECK(build.tick(99ms) == "");
    const std::string next = build.tick(1000ms);
    CHECK(next.find("second") == std::string::npos);
    CHECK(next.find("1.0s") != std::string::npos);
    CHECK(next.starts_with("\x1b[?2026h\x1b[?25l\x1b[?7l"));
    CHECK(next.ends_with("\x1b[?7h\x1b[?25h\x1b[?2026l"));
    CHECK(next.find("\x1b[2J") == std::string::npos);
    // Nothing that is shown changes within a tenth of a second's fraction.
    CHECK(build.tick(1101ms) != "");
    build.at(1150ms, log(1, "third\n"));
    CHECK(build.tick(1150ms) == "");
    const std::string third = build.tick(1250ms);
    CHECK(third.find("third") != std::string::npos);
    CHECK(third.find("first") == std::string::npos);
    // A clock that was set back.
    CHECK(build.tick(0ms) != "");
  }

  TEST_CASE("a line that overwrites itself shows its last state") {
    session build;
    build.at(0ms, step_started{1, 1, "RUN get"}).at(0ms, log(1, "10%\r50%\r90%")).tick(0ms);
    CHECK(build.shown.text() ==
          "[+] Building 0.0s (0/1)\n => [1/1] RUN get                                      0.0s\n"
          " => => # 90%\n");
    build.at(200ms, log(1, "\r100%\nnext")).tick(200ms);
    CHECK(build.shown.text().ends_with(" => => # 100%\n => => # next\n"));
  }

  TEST_CASE("warnings, and lines of the caller's, go above the display and are never cut") {
    session build(20, 8);
    build.at(0ms, step_started{1, 2, "RUN something long"}).tick(0ms);
    build.at(0ms, warning{"one that is longer than a line"}).above("error: of the caller\nmore\n");
    CHECK(build.shown.text() ==
          "WARNING: one that i\ns longer than a lin\ne\n"
          "error: of the calle\nr\nmore\n"
          "[+] Building 0.0s …\n"
          " => [1/2] RUN… 0.0s\n");
  }

  TEST_CASE("layers have bars; the time where there is no size; and are counted by the ones that are over") {
    session pull(60, 8, "Pulling");
    pull.at(0ms, layer_progress{"v1", "Pulling from a", 0, 0});
    pull.at(0ms, layer_progress{"aa", "Downloading", 3'000'000, 6'000'000, layer_phase::downloading});
    pull.at(0ms, layer_progress{"bb", "Waiting", 0, 0, layer_phase::waiting});
    pull.at(0ms, layer_progress{"cc", "Pushing", 2'140'160, 1'985'709, layer_phase::pushing});
    pull.at(0ms, layer_progress{"dd", "Already exists", 0, 0, layer_phase::already_exists}).tick(1000ms);
    CHECK(pull.shown.text() ==
          "v1: Pulling from a\n"
          " => dd: Already exists                                 0.0s\n"
          "[+] Pulling 1.0s (1/4)\n"
          " => aa: Downloading                  [=====>    ] 3MB / 6MB\n"
          " => bb: Waiting                                        1.0s\n"
          " => cc: Pushing                [==========] 2.14MB / 1.99MB\n");
    for (const auto* id : {"aa", "bb"})
      pull.at(2000ms, layer_progress{id, "Pull complete", 0, 0, layer_phase::pull_complete});
    pull.at(2000ms, layer_progress{"aa", "Downloading", 1, 2, layer_phase::downloading});
    pull.at(2000ms, transfer_finished{"v1", "sha256:12", 0}).finish();
    CHECK(pull.shown.text() ==
          "v1: Pulling from a\n"
          " => dd: Already exists                                 0.0s\n"
          " => aa: Pull complete                                  2.0s\n"
          " => bb: Pull complete                                  2.0s\n"
          " => cc: Pushing                                        2.0s\n"
          "v1: done sha256:12\n"
          "[+] Pulling 2.0s (4/4) FINISHED\n");
  }

  TEST_CASE("two thousand layers, and no more, are kept") {
    session pull(60, 8, "Pulling");
    for (int i = 0; i < 2500; ++i)
      pull.at(0ms, layer_progress{"l" + std::to_string(i), "Waiting", 0, 0, layer_phase::waiting});
    pull.tick(0ms);
    CHECK(pull.shown.text().find("(0/2000)") != std::string::npos);
  }

  TEST_CASE("a pull that a build waits for stands below its step, and leaves with it") {
    session build(80, 8);
    build.at(0ms, step_started{1, 2, "FROM a"}).at(0ms, layer_progress{"v1", "Pulling from a", 0, 0});
    build.at(0ms, layer_progress{"aa", "Extracting", 512, 1024, layer_phase::extracting});
    build.at(0ms, layer_progress{"bb", "Pull complete", 0, 0, layer_phase::pull_complete}).tick(0ms);
    CHECK(build.shown.text() ==
          "[+] Building 0.0s (0/2)\n"
          " => [1/2] FROM a                                                           0.0s\n"
          " => => aa: Extracting                      [==========>         ] 512B / 1.02kB\n");
    build.at(100ms, step_finished{1}).tick(200ms);
    CHECK(build.shown.text() ==
          " => [1/2] FROM a                                                      DONE 0.1s\n"
          "[+] Building 0.2s (1/2)\n");
  }

  TEST_CASE("a low terminal shows what there is room for, and says how much more there is") {
    session pull(60, 5, "Pulling");
    for (int i = 0; i < 9; ++i)
      pull.at(0ms, layer_progress{"l" + std::to_string(i), "Waiting", 0, 0, layer_phase::waiting});
    pull.tick(0ms);
    CHECK(pull.shown.text() ==
          "[+] Pulling 0.0s (0/9)\n"
          " => l0: Waiting                                        0.0s\n"
          " => l1: Waiting                                        0.0s\n"
          " => and 7 more\n");
    session build(60, 5);
    for (int i = 1; i < 9; ++i) build.at(0ms, step_started{i, 9, "RUN a"});
    build.at(0ms, log(8, "x\n")).tick(0ms);
    CHECK(build.shown.text() ==
          "[+] Building 0.0s (0/9)\n"
          " => [6/9] RUN a                                        0.0s\n"
          " => [7/9] RUN a                                        0.0s\n"
          " => [8/9] RUN a                                        0.0s\n");
    for (const int height : {1, 2, 3}) {
      session tiny(60, height);
      tiny.at(0ms, step_started{1, 2, "RUN a"}).at(0ms, log(1, "x\n")).tick(0ms);
      tiny.at(100ms, step_finished{1}).tick(200ms);
      tiny.finish();
      CHECK(tiny.shown.text() ==
            " => [1/2] RUN a                                   DONE 0.1s\n"
            "[+] Building 0.2s (1/2) FINISHED\n");
    }
  }

  TEST_CASE("narrow, usual and broad terminals: no line reaches the edge, wide characters and all") {
    for (const int width : {2, 5, 20, 45, 80, 200}) {
      CAPTURE(width);
      session build(width, 12);
      build.at(0ms, context_progress{1, 2048, 1000, false});
      build.at(0ms,
               step_started{1, 12,
                            "RUN \u65e5\u672c\u8a9e\u306e\u540d\u524d cafe\u0301 " + std::string(300, 'x')});
      build.at(0ms, layer_progress{"aa", "Downloading", 5, 6, layer_phase::downloading});
      build.at(0ms,
               log(1, "\u65e5\u672c\u8a9e\u306e\u540d\u524d\u65e5\u672c\u8a9e\u306e\u540d\u524d\ttab\n"));
      build.at(0ms, warning{"\u65e5\u672c\u8a9e\u306e\u540d\u524d\u65e5\u672c\u8a9e"}).tick(0ms);
      build.at(200ms, step_failed{1, 1, "no"}).finish(errc::build_failed);
      CHECK(build.shown.text().size() > 3);
    }
    session narrow(20, 12);
    narrow.at(0ms, step_started{1, 2, "RUN \u65e5\u672c\u8a9e"}).tick(0ms);
    CHECK(narrow.shown.text() == "[+] Building 0.0s …\n => [1/2] RUN… 0.0s\n");
  }

  TEST_CASE("nothing from outside reaches the terminal as a command") {
    const std::string bad =
        "\x1b[2J\x1b]0;t\x07\x1b[Aa\x9b"
        "31m\b\xc2\x9b"
        "2J\xff\x1b";
    session build(60, 20);
    build.at(0ms, step_started{1, 2, bad}).at(0ms, log(1, bad + "\n" + bad)).at(0ms, log(0, bad + "\n"));
    build.at(0ms, layer_progress{bad, bad, 1, 2, layer_phase::downloading});
    build.at(0ms, layer_progress{bad, bad, 1, 2}).at(0ms, warning{bad}).at(0ms, image_tagged{bad});
    build.at(0ms, image_loaded{bad}).at(0ms, transfer_finished{bad, bad, 1}).at(0ms, image_built{bad});
    build.tick(0ms);
    build.above(bad);
    build.at(0ms, step_failed{1, 1, bad}).finish(errc::build_failed);
    CHECK(build.shown.text().find("------") != std::string::npos);
  }

  TEST_CASE("another size while it runs leaves no remains") {
    session build(80, 10);
    build.at(0ms, step_started{1, 3, "RUN first"}).at(100ms, step_finished{1});
    build.at(100ms, step_started{2, 3, "RUN make something that has a long name"});
    build.at(100ms, log(2, "one\ntwo\n" + std::string(200, 'y') + "\n")).tick(200ms);
    build.resize(40, 10);
    CHECK(
        build.shown.text().ends_with("DONE 0.1s\n"
                                     "[+] Building 0.2s (1/3)\n"
                                     " => [2/3] RUN make something that… 0.1s\n"
                                     " => => # one\n => => # two\n"
                                     " => => # yyyyyyyyyyyyyyyyyyyyyyyyyyyyy…\n"));
    build.resize(100, 5);
    build.tick(1200ms);
    CHECK(build.shown.shown().ends_with(
        "[+] Building 1.2s (1/3)\n => [2/3] RUN make something that has a long name" + std::string(46, ' ') +
        "1.1s\n => => # two\n => => # " + std::string(89, 'y') + "…\n"));
    build.resize(30, 4);
    build.finish();
    CHECK(build.shown.text().find("=> # one") == std::string::npos);
  }

  TEST_CASE("after a stop the display is drawn anew below what others have written") {
    session build(60, 10);
    build.at(0ms, step_started{1, 2, "RUN a"}).tick(0ms);
    build.shown.write("^Z\r\n[1]+  Stopped\r\n$ fg\r\n");
    build.redraw();
    build.tick(2000ms);
    CHECK(build.shown.text().ends_with(
        "$ fg\n[+] Building 2.0s (0/2)\n => [1/2] RUN a                                        2.0s\n"));
  }

  TEST_CASE("thousands of steps: each is written once, and a tick's work does not grow with them") {
    session build(80, 24);
    std::size_t most = 0;
    for (int i = 1; i <= 5000; ++i) {
      const auto now = std::chrono::milliseconds(i * 100);
      build.at(now, step_started{i, 5000, "RUN step"}).at(now, log(i, "out\n"));
      most = std::max(most, build.tick(now).size());
      build.at(now, step_finished{i});
    }
    build.finish();
    CHECK(most < 1000);
    const std::string text = build.shown.text();
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) == 5001);
    CHECK(text.find("[4999/5000] RUN step") != text.npos);
  }

  TEST_CASE("a flood of output costs one screenful a tick, and memory for a few lines") {
    session build(80, 24);
    build.at(0ms, step_started{1, 1, "RUN yes"});
    for (int i = 0; i < 20'000; ++i) build.at(0ms, log(1, std::string(500, 'y') + "\n"));
    CHECK(build.tick(0ms).size() < 24 * 200);
    // What the display holds of it: the last twenty lines, each of 4 KiB at most, and one that has not ended.
    display_state holds;
    const auto show = [&](std::string bytes) {
      holds.take({event_time(1'000'000s), log(1, std::move(bytes))});
    };
    const auto held = [&] {
      const running_step& step = holds.steps().at(1);
      std::size_t bytes = step.out.text().capacity() + step.err.text().capacity();
      for (const auto& line : step.tail) bytes += line.text.capacity();
      return bytes;
    };
    holds.take({event_time(1'000'000s), step_started{1, 1, "RUN yes"}});
    std::size_t most = 0;
    for (int i = 0; i < 20'000; ++i) {
      show(std::string(500, 'y') + "\n");
      most = std::max(most, held());
    }
    CHECK(holds.steps().at(1).tail.size() == 20);
    CHECK(most < 21 * 1024);
    for (int i = 0; i < 20'000; ++i) {
      show(std::string(500, 'y'));
      most = std::max(most, held());
    }
    CHECK(holds.steps().at(1).tail.size() == 20);
    CHECK(most <= 22 * 4097);
    CHECK(holds.take_ended().empty());
  }

  TEST_CASE("colours are few, closed, and absent when they are not wanted") {
    session coloured(80, 24, "Building", true);
    coloured.at(0ms, step_started{1, 1, "RUN a"}).at(0ms, log(1, "x\n"));
    CHECK(coloured.tick(0ms).find("\x1b[2m => => # x\x1b[0m") != std::string::npos);
    coloured.at(0ms, step_failed{1, 1, "no"});
    CHECK(coloured.finish(errc::build_failed).find("\x1b[31mERROR 0.0s\x1b[0m") != std::string::npos);
    session plain(80, 24, "Building", false);
    plain.at(0ms, step_started{1, 1, "RUN a"}).at(0ms, log(1, "x\n"));
    CHECK(plain.tick(0ms).find("\x1b[2m") == std::string::npos);
    plain.at(0ms, step_failed{1, 1, "no"});
    CHECK(plain.finish(errc::build_failed).find("\x1b[31m") == std::string::npos);
  }

  TEST_CASE("before the first event nothing is drawn, nor at the end of nothing") {
    session build;
    CHECK(build.tick(0ms) == "");
    CHECK(build.redraw() == "");
    build.resize(50, 10);
    CHECK(build.finish() == "");
    CHECK(build.shown.text().empty());
  }

  TEST_CASE("what a load tells beside steps") {
    session load(60, 10, "Loading");
    load.at(0ms, layer_progress{"aa", "Loading layer", 5, 10, layer_phase::loading})
        .at(0ms, log(0, "note"))
        .tick(0ms);
    load.at(100ms, image_loaded{"a:1"}).finish();
    CHECK(load.shown.text() ==
          " => aa: Loading layer                                  0.1s\nloaded a:1\nnote\n"
          "[+] Loading 0.1s (1/1) FINISHED\n");
    session failed(60, 10, "Pushing");
    failed.at(0ms, layer_progress{"aa", "Preparing", 0, 0, layer_phase::preparing})
        .finish(errc::unauthorized);
    CHECK(failed.shown.text() == "[+] Pushing 0.0s (0/1) FAILED\n");
  }
}

}  // namespace dockline::progress
