// Operations on a real engine, over a connection that breaks at a byte, for many bytes and in every way in
// which connections break: each gives the right result or an error, and comes to its end.

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"

#include "daemon/daemon_helpers.hpp"
#include "support/entries_of.hpp"
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

// What an operation made, as text that is the same each time.
using outcome = result<std::string>;
using scenario = std::function<asio::awaitable<outcome>(engine::client)>;

std::string socket_of_engine() {
  const std::string host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
  REQUIRE(host.starts_with("unix://"));
  return host.substr(7);
}

// An operation that waits for as long as its work takes has no deadline: it is stopped after that.
constexpr auto longest_operation = 2s;
// What is a hang.
constexpr auto longest_end = 20s;

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
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, outcome done) {
                   ++completions;
                   clock.cancel();
                   // Between two operations, a cancelled coroutine throws.
                   seen = failure ? outcome(asio::error::operation_aborted) : std::move(done);
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

// The operation undisturbed, slowly, and with the line broken at about `points` bytes in each direction.
void break_everywhere(const scenario& what, std::size_t points, bool repeatable = true) {
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
  check(line_plan(line_fault::dribble, answered > 20'000 ? answered - 20'000 : 0), false);
  check(line_plan(line_fault::dribble, 0, true), false);
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

// Removed at the end, whatever connection was lost before it could be.
struct leftovers {
  explicit leftovers(engine_fixture& own, std::string from) : engine(own), image(std::move(from)) {}
  leftovers(const leftovers&) = delete;
  leftovers& operator=(const leftovers&) = delete;
  ~leftovers() { engine.run(remove_containers_of(engine.daemon(), image)); }

  engine_fixture& engine;
  std::string image;
};

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("questions: the version, an image, its history, the list") {
    const std::string image = base_image();
    const std::size_t before = test::entries_of("/proc/self/fd");
    break_everywhere(
        [image](engine::client daemon) -> asio::awaitable<outcome> {
          auto [refused, version] = co_await engine::async_version(daemon, no_throw);
          if (refused) co_return refused;
          auto [missing, found] = co_await engine::async_image_inspect(daemon, image, no_throw);
          if (missing) co_return missing;
          auto [lost, layers] = co_await engine::async_image_history(daemon, image, no_throw);
          if (lost) co_return lost;
          engine::image_list_options options;
          options.filters = {{"reference", {image}}};
          auto [unlisted, rows] = co_await engine::async_image_list(daemon, options, no_throw);
          if (unlisted) co_return unlisted;
          co_return version.version + ' ' + found.raw + ' ' + std::to_string(layers.size()) + ' ' +
              std::to_string(rows.size());
        },
        16);
    CHECK(test::entries_of("/proc/self/fd") <= before);
  }

  TEST_CASE("an image that is saved: all of the tar, or an error") {
    const std::string image = base_image();
    break_everywhere(
        [image](engine::client daemon) -> asio::awaitable<outcome> {
          std::vector<std::string> names(1, image);
          engine::image_save_options options;
          auto [refused, tar] = co_await engine::async_image_save(daemon, names, options, no_throw);
          if (refused) co_return refused;
          std::string error;
          try {
            const std::string bytes = co_await read_all(tar);
            // Podman gives the same archive other times.
            co_return std::to_string(bytes.size());
          } catch (const boost::system::system_error& failure) {
            error = failure.what();
            co_return failure.code();
          }
        },
        12);
  }

  TEST_CASE("a container from its creation to its removal") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    break_everywhere(
        [](engine::client daemon) -> asio::awaitable<outcome> {
          engine::run_options options;
          options.container = probe_container({"say", "7", "to out", "to err"});
          options.remove = true;
          std::string out;
          engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
            if (stream == progress::output_stream::out) out += bytes;
          };
          auto [code, ended] = co_await engine::async_run(daemon, options, sink, no_throw);
          if (code) co_return code;
          co_return std::to_string(ended.status);
        },
        8);
  }

  TEST_CASE("files out of a container: all of the tar, or an error") {
    engine_fixture engine;
    const leftovers later(engine, base_image());
    const std::string name = engine.name("files");
    const auto made = [](engine::client daemon, std::string chosen) -> asio::awaitable<error_code> {
      engine::container_options options = probe_container({"exit", "0"});
      options.name = chosen;
      auto [code, container] = co_await engine::async_container_create(daemon, options, no_throw);
      co_return code;
    };
    REQUIRE_FALSE(engine.run(made(engine.daemon(), name)));
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<outcome> {
          auto [refused, files] =
              co_await engine::async_container_archive_get(daemon, name, "/probe", no_throw);
          if (refused) co_return refused;
          std::string tar;
          try {
            tar = co_await read_all(files.tar);
          } catch (const boost::system::system_error& failure) {
            co_return failure.code();
          }
          co_return std::to_string(tar.size()) + ' ' + files.about.name;
        },
        12);
  }

  TEST_CASE("a build: the image, or an error, and no image under its name that is another one") {
    engine_fixture engine;
    const std::string base = base_image();
    const engine::build_options tagged = engine.tagged("faults");
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base + "\nCOPY in /in\n");
    tree.file("in/data", std::string(20'000, 'd'));
    const std::string root = tree.root();
    break_everywhere(
        [tagged, root](engine::client daemon) -> asio::awaitable<outcome> {
          archive::context_options wanted;
          wanted.directory = root;
          wanted.mode = archive::ignore_mode::classic;
          auto [unreadable, context] =
              co_await archive::async_open_context(daemon.get_executor(), wanted, no_throw);
          if (unreadable) co_return unreadable;
          engine::build_options options = tagged;
          options.dockerfile = context.dockerfile_name();
          options.force_remove = true;
          std::shared_ptr<byte_source> source = context.pack();
          progress::event_sink ignore = [](const progress::event&) {};
          auto [code, image] = co_await engine::async_build(daemon, source, options, ignore, no_throw);
          if (code) co_return code;
          auto [missing, found] = co_await engine::async_image_inspect(daemon, image.id, no_throw);
          if (missing) co_return missing;
          co_return std::to_string(found.size);
        },
        8);
    // What is there under its name is what was built, to the last byte.
    if (!engine.has_image(tagged.tags.front())) return;
    const output there = engine.run_probe(tagged.tags.front(), {"walk", "/in"});
    const std::string here = probe_says({"walk", tree.path("in")});
    CHECK(there.out == here);
  }
}

}  // namespace dockline::daemon_test
