#include "daemon/broken_line.hpp"

#include "core/spawn.hpp"
#include "support/planned_relay.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

namespace dockline::daemon_test {
namespace {

using namespace std::chrono_literals;
using test::line_fault;
using test::line_plan;
using test::planned_relay;

std::string socket_of_engine() {
  const std::string host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
  REQUIRE(host.starts_with("unix://"));
  return host.substr(7);
}

// An operation that waits for as long as its work takes has no deadline: it is stopped after that.
constexpr auto longest_operation = 2s;
// What is a hang.
constexpr auto longest_end = 20s;

using outcome = result<std::string>;

// One attempt, by a client and a loop of its own.
outcome attempt(planned_relay& relay, line_plan how, const scenario& what) {
  relay.plan(how);
  asio::io_context loop(1);
  engine::client_options options;
  options.host = relay.host();
  options.connect_timeout = 2s;
  options.answer_timeout = 500ms;
  options.idle_timeout = 500ms;
  // What goes on byte by byte has its time.
  const bool slow = how.kind == line_fault::dribble || how.kind == line_fault::throttle;
  if (slow || how.kind == line_fault::none) options.answer_timeout = options.idle_timeout = 10s;
  outcome seen = errc::timed_out;
  int completions = 0;
  asio::cancellation_signal stop;
  asio::steady_timer clock(loop, slow ? 15s : longest_operation);
  clock.async_wait([&](const error_code& code) {
    if (!code) stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(loop, what(engine::client(loop.get_executor(), options)),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, std::string done) {
                   ++completions;
                   clock.cancel();
                   seen = failure ? outcome(code_of(failure)) : std::move(done);
                 }));
  loop.run_for(longest_end);
  CHECK(loop.stopped());
  CHECK(completions == 1);
  return seen;
}

// `points` bytes from the first to the last, evenly.
std::set<std::size_t> spread(std::size_t total, std::size_t points) {
  std::set<std::size_t> chosen;
  for (std::size_t i = 0; i <= points; ++i) chosen.insert(total * i / points);
  return chosen;
}

}  // namespace

void break_everywhere(const scenario& what, std::size_t points, bool repeatable) {
  planned_relay relay(socket_of_engine());
  const outcome right = attempt(relay, line_plan(), what);
  REQUIRE_MESSAGE(right.has_value(), right.error().message());
  const std::size_t answered = relay.answered();
  const std::size_t requested = relay.requested();
  REQUIRE(answered > 0);
  const auto check = [&](line_plan how, bool may_fail) {
    CAPTURE(static_cast<int>(how.kind));
    CAPTURE(how.at);
    CAPTURE(how.requests);
    const outcome seen = attempt(relay, how, what);
    if (!seen) {
      CHECK_MESSAGE(may_fail, seen.error().message());
      return 1;
    }
    if (repeatable) CHECK(*seen == *right);
    return 0;
  };
  check(line_plan(line_fault::throttle, 0), false);
  check(line_plan(line_fault::throttle, 0, true), false);
  // Each of these bytes takes its time.
  const auto last_of = [](std::size_t total) { return total > 20'000 ? total - 20'000 : 0; };
  check(line_plan(line_fault::dribble, last_of(answered)), false);
  check(line_plan(line_fault::dribble, last_of(requested), true), false);
  int failed = 0;
  for (const bool requests : {false, true}) {
    for (const std::size_t at : spread(requests ? requested : answered, points)) {
      failed += check(line_plan(line_fault::cut, at, requests), true);
      failed += check(line_plan(line_fault::reset, at, requests), true);
    }
    for (const std::size_t at : spread(requests ? requested : answered, 3))
      failed += check(line_plan(line_fault::stall, at, requests), true);
  }
  // Cut before the first byte nothing succeeds.
  CHECK(failed > 2);
  // A bit that is another one may give another text, and no other end than these.
  for (const std::size_t at : spread(answered - 1, points))
    (void)attempt(relay, line_plan(line_fault::corrupt, at), what);
}

void break_build(std::string_view name, archive::ignore_mode mode, build_scenario build) {
  engine_fixture engine;
  const engine::build_options tagged = engine.tagged(name);
  const scratch_tree tree;
  tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY in /in\n");
  tree.file("in/data", std::string(20'000, 'd'));
  archive::context_options wanted;
  wanted.directory = tree.root();
  wanted.mode = mode;
  break_everywhere(
      [tagged, wanted, build = std::move(build)](engine::client daemon) -> asio::awaitable<std::string> {
        archive::build_context context = co_await archive::async_open_context(daemon.get_executor(), wanted);
        const std::string id = co_await build(daemon, std::move(context), tagged);
        const auto found = co_await engine::async_image_inspect(daemon, id);
        co_return std::to_string(found.size);
      },
      8);
  if (!engine.has_image(tagged.tags.front())) return;
  const output there = engine.run_probe(tagged.tags.front(), {"walk", "/in"});
  const std::string here = probe_says({"walk", tree.path("in")});
  CHECK(there.out == here);
}

}  // namespace dockline::daemon_test
