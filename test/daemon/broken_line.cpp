#include "daemon/broken_line.hpp"

#include "dockline/engine/container_files.hpp"
#include "dockline/engine/distribution.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/images.hpp"

#include "core/spawn.hpp"
#include "support/entries_of.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <thread>

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

// When an operation without a deadline is stopped, whose line is silent.
constexpr auto longest_silence = 1500ms;
// What is a hang.
constexpr auto longest_operation = 20s;
constexpr auto longest_end = 40s;

using outcome = result<std::string>;

// One attempt, by a client and a loop of its own.
outcome attempt(planned_relay& relay, line_plan how, const scenario& what, bool endless) {
  relay.plan(how);
  asio::io_context loop(1);
  engine::client_options options;
  options.host = relay.host();
  // Whatever goes on has its time; it is waited for in vain only where the line falls silent, or says that more is to
  // come than does.
  const bool silent = how.kind == line_fault::stall || how.kind == line_fault::corrupt;
  options.connect_timeout = 10s;
  options.answer_timeout = options.idle_timeout = silent ? 500ms : 10s;
  outcome seen = errc::timed_out;
  int completions = 0;
  bool stopped = false;
  asio::cancellation_signal stop;
  asio::steady_timer clock(loop);
  clock.expires_after(silent && endless ? asio::steady_timer::duration(longest_silence) : longest_operation);
  clock.async_wait([&](const error_code& code) {
    if (code) return;
    stopped = true;
    stop.emit(asio::cancellation_type::terminal);
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
  CHECK((!stopped || (silent && endless)));
  return seen;
}

// `points` bytes from the first to the last, evenly.
std::set<std::size_t> spread(std::size_t total, std::size_t points) {
  std::set<std::size_t> chosen;
  for (std::size_t i = 0; i <= points; ++i) chosen.insert(total * i / points);
  return chosen;
}

asio::awaitable<std::string> read_data(engine::client daemon, std::string image) {
  engine::container_options options;
  options.image = image;
  options.cmd = {"/probe"};
  const std::string id = co_await create_container(daemon, options);
  const auto files = co_await engine::async_container_archive_get(daemon, id, "/in/data");
  const std::string tar = co_await read_all(files.tar);
  engine::remove_options removal;
  removal.force = true;
  co_await engine::async_container_remove(daemon, id, removal);
  // A header of 512 bytes, which tells the size in octal digits, and the file.
  constexpr std::size_t header = 512;
  if (tar.size() < header) co_return "";
  co_return tar.substr(header, std::stoul(tar.substr(124, 11), nullptr, 8));
}

asio::awaitable<std::string> ask_digest(engine::client daemon, std::string name) {
  auto [code, told] = co_await engine::async_distribution_inspect(daemon, name, {}, no_throw);
  co_return code ? code.message() : told.digest;
}

asio::awaitable<void> tag_image(engine::client daemon, std::string image, std::string name) {
  co_await engine::async_image_tag(daemon, image, name);
}

asio::awaitable<void> remove_image(engine::client daemon, std::string image) {
  engine::image_remove_options forced;
  forced.force = true;
  auto [no_image, gone] = co_await engine::async_image_remove(daemon, image, forced, no_throw);
  (void)no_image;
}

asio::awaitable<void> remove_labelled(engine::client daemon, std::string label) {
  engine::image_prune_options own;
  own.all = true;
  own.filters = {{"label", {label}}};
  co_await engine::async_image_prune(daemon, own);
}

}  // namespace

void break_everywhere(const scenario& what, const breaking& manner) {
  planned_relay relay(socket_of_engine());
  const auto look = [&](const line_plan& how, bool succeeded) {
    if (manner.afterwards) manner.afterwards(attempted(how, succeeded));
  };
  const outcome right = attempt(relay, line_plan(), what, manner.endless);
  REQUIRE_MESSAGE(right.has_value(), right.error().message());
  const std::size_t answered = relay.answered();
  const std::size_t requested = relay.requested();
  REQUIRE(answered > 0);
  look(line_plan(), true);
  relay.plan(line_plan());
  const std::size_t open = test::entries_of("/proc/self/fd");
  const auto is_right = [&](const std::string& made, const line_plan& how) {
    return manner.is_right ? manner.is_right(made, *right, how) : made == *right;
  };
  const auto check = [&](line_plan how, bool may_fail) {
    how.once = manner.once;
    CAPTURE(static_cast<int>(how.kind));
    CAPTURE(how.at);
    CAPTURE(how.requests);
    const outcome seen = attempt(relay, how, what, manner.endless);
    if (!seen) CHECK_MESSAGE(may_fail, seen.error().message());
    if (seen && how.kind != line_fault::corrupt) CHECK_MESSAGE(is_right(*seen, how), seen->substr(0, 500));
    look(how, seen.has_value());
    return seen ? 0 : 1;
  };
  check(line_plan(line_fault::throttle, 0), false);
  check(line_plan(line_fault::throttle, 0, true), false);
  // Each of these bytes takes its time.
  const auto last_of = [](std::size_t total) { return total > 20'000 ? total - 20'000 : 0; };
  check(line_plan(line_fault::dribble, last_of(answered)), false);
  check(line_plan(line_fault::dribble, last_of(requested), true), false);
  int failed = 0;
  for (const bool requests : {false, true}) {
    const std::size_t total = requests ? requested : answered;
    for (const std::size_t at : spread(total, manner.points)) {
      failed += check(line_plan(line_fault::cut, at, requests), true);
      failed += check(line_plan(line_fault::reset, at, requests), true);
    }
    for (const std::size_t at : spread(total, 3))
      failed += check(line_plan(line_fault::stall, at, requests), true);
    // A bit that is another one may give another text, and no other end than these.
    if (requests && !manner.harmless) continue;
    for (const std::size_t at : spread(total - 1, manner.points))
      check(line_plan(line_fault::corrupt, at, requests), true);
  }
  // Cut before the first byte nothing succeeds.
  if (!manner.never_fails) CHECK(failed > 2);
  relay.plan(line_plan());
  // The relay closes what it took last when it hears of its end.
  const auto until = std::chrono::steady_clock::now() + longest_operation;
  while (test::entries_of("/proc/self/fd") > open && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(5ms);
  CHECK(test::entries_of("/proc/self/fd") <= open);
}

changing_tree::changing_tree(const std::string& dockerfile) { tree_.file("Dockerfile", dockerfile); }

void changing_tree::change() {
  constexpr std::size_t size = 20'000;
  content_ = std::to_string(1'000'000 + ++number_) + ' ';
  while (content_.size() < size) content_ += content_;
  content_.resize(size);
  tree_.file("in/data", content_);
}

archive::context_options changing_tree::options() const {
  archive::context_options wanted;
  wanted.directory = tree_.root();
  return wanted;
}

void break_build(std::string_view name, archive::ignore_mode mode, std::size_t points, build_scenario build) {
  engine_fixture engine;
  const std::string own = engine.name(name);
  changing_tree tree("FROM " + base_image() + "\nCOPY in /in\n");
  archive::context_options wanted = tree.options();
  wanted.mode = mode;
  const auto tag = [&] { return own + ":" + std::to_string(tree.number()); };
  breaking how(points);
  how.endless = true;
  how.afterwards = [&](const attempted& it) { check_image(engine, it, tag(), tree.content()); };
  break_everywhere(
      [&](engine::client daemon) -> asio::awaitable<std::string> {
        tree.change();
        engine::build_options options;
        options.tags = {tag()};
        options.labels = {{own, "1"}};
        archive::build_context context = co_await archive::async_open_context(daemon.get_executor(), wanted);
        const std::string id = co_await build(daemon, std::move(context), options);
        const auto found = co_await engine::async_image_inspect(daemon, id);
        co_return std::to_string(found.size);
      },
      how);
  forget_labelled(engine, own);
}

void check_image(engine_fixture& engine, const attempted& it, const std::string& image,
                 const std::string& content) {
  if (!it.was_asked_for()) return;
  const bool there = engine.has_image(image);
  if (it.succeeded) CHECK(there);
  if (!there) return;
  // By way of a container that is never started.
  CHECK(engine.run(read_data(engine.daemon(), image)) == content);
  forget_image(engine, image);
}

std::string digest_in_registry(engine_fixture& engine, const std::string& name) {
  return engine.run(ask_digest(engine.daemon(), name));
}

void give_name(engine_fixture& engine, const std::string& image, const std::string& name) {
  engine.run(tag_image(engine.daemon(), image, name));
}

void forget_image(engine_fixture& engine, const std::string& image) {
  engine.run(remove_image(engine.daemon(), image));
}

void forget_labelled(engine_fixture& engine, const std::string& label) {
  engine.run(remove_labelled(engine.daemon(), label));
}

}  // namespace dockline::daemon_test
