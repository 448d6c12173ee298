// What containers read and write, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/attach.hpp"
#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/exec.hpp"

#include "daemon/broken_line.hpp"
#include "support/text_source.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <sstream>

namespace dockline::daemon_test {
namespace {

using test::line_fault;
using test::line_plan;

const std::string line_out = std::string(3000, 'o') + "\n";
const std::string line_err = std::string(3000, 'e') + "\n";

std::string told(int status, const heard& all) {
  return std::to_string(status) + ' ' + all.out + ' ' + all.err;
}

// Whether this is what a program wrote, as far as it was heard, and the status with which it ended: it may go on (-1).
bool is_beginning(const std::string& made, const std::string& right) {
  std::istringstream seen(made);
  std::istringstream whole(right);
  std::string status;
  std::string right_status;
  seen >> status;
  whole >> right_status;
  if (status != right_status && status != "-1") return false;
  for (std::string part, all; std::getline(whole.ignore(), all, ' ');) {
    std::getline(seen.ignore(), part, ' ');
    if (!all.starts_with(part)) return false;
  }
  return true;
}

// The streams of a program come over a connection that is no longer HTTP's and tell no length: their end is that of the
// connection. So one that is closed in their middle, as by a proxy that goes, cannot be told from a program that has
// written all; one that is reset can, unless there is input: an engine resets it where the program leaves some unread.
std::function<bool(const std::string&, const std::string&, const line_plan&)> as_far_as_heard(
    bool with_input) {
  return [with_input](const std::string& made, const std::string& right, const line_plan& how) {
    const bool unnoticed = how.kind == line_fault::cut || (how.kind == line_fault::reset && with_input);
    return made == right || (unnoticed && is_beginning(made, right));
  };
}

asio::awaitable<std::string> run_and_listen(engine::client daemon, std::string input) {
  engine::run_options options;
  options.container = probe_container({"say", "7", line_out, line_err});
  if (!input.empty()) {
    options.container.cmd = {"cat"};
    options.input = std::make_shared<test::text_source>(daemon.get_executor(), input);
  }
  options.remove = true;
  heard all;
  engine::output_sink sink = all.sink();
  const auto ended = co_await engine::async_run(daemon, options, sink);
  co_return told(ended.status, all);
}

// A program that shows what it is given, attached to.
asio::awaitable<std::string> attach_and_talk(engine::client daemon, std::string input) {
  engine::container_options program = probe_container({"cat"});
  program.open_stdin = true;
  const std::string id = co_await create_container(daemon, program);
  engine::attach_options all_of_it;
  all_of_it.in = true;
  auto streams = co_await engine::async_container_attach(daemon, id, all_of_it);
  co_await engine::async_container_start(daemon, id);
  heard all;
  engine::output_sink sink = all.sink();
  std::shared_ptr<byte_source> words = std::make_shared<test::text_source>(daemon.get_executor(), input);
  co_await engine::async_attachment_run(streams, words, sink);
  const auto ended = co_await engine::async_container_wait(daemon, id);
  co_return told(ended.status, all);
}

asio::awaitable<std::string> exec_and_listen(engine::client daemon, std::string name,
                                             engine::exec_options options, std::string input) {
  options.in = !input.empty();
  std::shared_ptr<byte_source> words;
  if (options.in) words = std::make_shared<test::text_source>(daemon.get_executor(), input);
  const heard ended = co_await run_exec(daemon, name, options, words);
  co_return told(ended.exit_code.value_or(-1), ended);
}

// A program that nobody listens to, and its end.
asio::awaitable<std::string> exec_unheard(engine::client daemon, std::string name,
                                          engine::exec_options options) {
  const std::string id = co_await engine::async_exec_create(daemon, name, options);
  co_await engine::async_exec_start_detached(daemon, id);
  asio::steady_timer pause(co_await asio::this_coro::executor);
  for (;;) {
    const auto how = co_await engine::async_exec_inspect(daemon, id);
    if (how.exit_code && !how.running) co_return std::to_string(*how.exit_code);
    pause.expires_after(std::chrono::milliseconds(5));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<std::string> marks_of(engine::client daemon, std::string name) {
  auto [code, files] = co_await engine::async_container_archive_get(daemon, name, "/marks", no_throw);
  if (code) co_return "";
  co_return co_await read_all(files.tar);
}

asio::awaitable<void> write_and_end(engine::client daemon, engine::container_options options) {
  const std::string id = co_await start_container(daemon, std::move(options));
  co_await engine::async_container_wait(daemon, id);
}

asio::awaitable<std::string> listen_to_log(engine::client daemon, std::string name) {
  heard all;
  engine::output_sink sink = all.sink();
  co_await engine::async_container_logs(daemon, name, {}, sink);
  co_return told(0, all);
}

asio::awaitable<std::string> weigh(engine::client daemon, std::string name) {
  engine::stats_options once;
  once.stream = false;
  once.one_shot = true;
  int samples = 0;
  bool plausible = true;
  engine::stats_sink sink = [&](const engine::container_stats& seen) {
    ++samples;
    plausible = plausible && !seen.raw.empty();
  };
  co_await engine::async_container_stats(daemon, name, once, sink);
  co_return std::to_string(samples) + (plausible ? " plausible" : "");
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("a container from its creation to its removal: its output and its status, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    breaking how(4);
    how.endless = true;
    break_everywhere([](engine::client daemon) { return run_and_listen(daemon, ""); }, how);
    // Of its connections only the one that breaks; see as_far_as_heard().
    how.points = 6;
    how.once = true;
    how.is_right = as_far_as_heard(false);
    break_everywhere([](engine::client daemon) { return run_and_listen(daemon, ""); }, how);
  }

  TEST_CASE("a container that is attached to and given input: its output and its status, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    breaking how(4);
    how.endless = true;
    const std::string input = std::string(5000, 'i');
    how.once = true;
    how.is_right = as_far_as_heard(true);
    break_everywhere([&](engine::client daemon) { return attach_and_talk(daemon, input); }, how);
  }

  TEST_CASE("what a container wrote: all of it, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("logged");
    engine.run(write_and_end(engine.daemon(), probe_container({"say", "7", line_out, line_err}, name)));
    breaking how(12);
    // Logs may be followed.
    how.endless = true;
    break_everywhere([name](engine::client daemon) { return listen_to_log(daemon, name); }, how);
  }

  TEST_CASE("a program in a container that runs: its output and its status, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("host");
    engine.run(start_container(engine.daemon(), probe_container({"sleep", "600"}, name)));
    for (const std::string& input : {std::string(), std::string(5000, 'i')}) {
      CAPTURE(input.size());
      engine::exec_options options;
      options.cmd = {"/probe", "say", "7", line_out, line_err};
      if (!input.empty()) options.cmd = {"/probe", "cat"};
      breaking how(4);
      how.endless = true;
      how.once = true;
      how.is_right = as_far_as_heard(!input.empty());
      break_everywhere([&](engine::client daemon) { return exec_and_listen(daemon, name, options, input); },
                       how);
    }
  }

  TEST_CASE("a program that is started and left alone runs once, or that is an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("alone");
    engine.run(start_container(engine.daemon(), probe_container({"sleep", "600"}, name)));
    engine::exec_options options;
    options.out = options.err = false;
    int attempts = 0;
    breaking how(6);
    how.afterwards = [&](const attempted& it) {
      const std::string marks = engine.run(marks_of(engine.daemon(), name));
      const std::string mark = "mark " + std::to_string(attempts) + ".";
      const std::size_t first = marks.find(mark);
      if (it.succeeded && it.was_asked_for()) CHECK(first != marks.npos);
      if (first != marks.npos) CHECK(marks.find(mark, first + 1) == marks.npos);
    };
    break_everywhere(
        [&](engine::client daemon) {
          options.cmd = {"/probe", "append", "/marks", "mark " + std::to_string(++attempts) + "."};
          return exec_unheard(daemon, name, options);
        },
        how);
  }

  TEST_CASE("what a container uses, and a signal to it") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("weighed");
    engine.run(start_container(engine.daemon(), probe_container({"sleep", "600"}, name)));
    breaking how(8);
    // Samples may be followed.
    how.endless = true;
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          co_await engine::async_container_kill(daemon, name, "WINCH");
          co_return co_await weigh(daemon, name);
        },
        how);
  }
}

}  // namespace dockline::daemon_test
