// Thousands of mixed operations by one client in one process, on a real engine, over a relay that breaks
// connections:
//
//     soak [OPERATIONS [SEED]]
//
// Eight are under way at a time, and some are cancelled. However they end, each has to end once, in time, and
// nothing may be left: after each tenth the event loop has to run out of work, and the process is measured.
// The status is 1 when an operation did not end, or descriptors, threads or memory grew. The engine is the
// one at DOCKLINE_TEST_DOCKER_HOST; 77 where there is none.

#define DOCTEST_CONFIG_IMPLEMENT
#include "dockline/engine/events.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"

#include "daemon/daemon_helpers.hpp"
#include "support/entries_of.hpp"
#include "support/faulty_relay.hpp"
#include "support/sanitized.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>

namespace dockline::daemon_test {
namespace {

using namespace std::chrono_literals;

constexpr int at_once = 8;
constexpr unsigned percent_of_faults = 25;
// An operation that waits for as long as its work takes has no deadline of its own: here it is cancelled.
constexpr auto longest_operation = 3s;
// What a cancelled operation may take to be over: a run kills and removes its container first.
constexpr auto longest_end = 30s;

struct measure {
  measure() = default;

  long descriptors = 0;
  long threads = 0;
  long heap = 0;      // bytes that are allocated
  long resident = 0;  // bytes of anonymous memory
};

measure measure_now() {
  measure now;
  ::malloc_trim(0);
  // The one that lists them is counted as well, each time.
  now.descriptors = static_cast<long>(test::entries_of("/proc/self/fd"));
  now.threads = static_cast<long>(test::entries_of("/proc/self/task"));
  now.heap = static_cast<long>(::mallinfo2().uordblks);
  // Without what is mapped from files, of which the program sees more and more.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) now.resident = std::atol(line.c_str() + 8) * 1024;
  }
  return now;
}

// What one operation is stopped by.
struct leash : std::enable_shared_from_this<leash> {
  explicit leash(asio::any_io_executor executor) : clock(std::move(executor)) {}

  void stop_after(std::chrono::microseconds time) {
    clock.expires_after(time);
    clock.async_wait([self = shared_from_this()](const error_code& code) {
      if (code) return;
      self->stopped = true;
      self->stop.emit(asio::cancellation_type::terminal);
    });
  }
  auto token() { return asio::bind_cancellation_slot(stop.slot(), no_throw); }

  asio::cancellation_signal stop;
  bool stopped = false;  // what begins after that has missed the signal
  asio::steady_timer clock;
};

class soak {
 public:
  soak(engine::client daemon, std::string image, std::uint64_t seed)
      : daemon_(std::move(daemon)), image_(std::move(image)), random_(seed) {}

  int done() const { return done_; }
  const std::map<std::string, int>& under_way() const { return under_way_; }
  const std::map<std::string, int>& outcomes() const { return outcomes_; }

  // Starts `count` operations, some at once; the loop has work until they are over.
  void start(asio::io_context& loop, int count) {
    left_ = count;
    for (int i = 0; i < at_once; ++i) asio::co_spawn(loop, work(), asio::detached);
  }

 private:
  asio::awaitable<void> work() {
    while (left_ > 0) {
      --left_;
      auto rope = std::make_shared<leash>(daemon_.get_executor());
      // One in six is cancelled at any moment.
      const bool early = random_() % 6 == 0;
      rope->stop_after(early ? std::chrono::microseconds(random_() % 20'000) : longest_operation);
      const error_code code = co_await choose(*rope);
      rope->clock.cancel();
      ++outcomes_[code ? code.message() : "done"];
      ++done_;
    }
  }

  asio::awaitable<error_code> choose(leash& rope) {
    struct kind {
      unsigned below;
      const char* name;
      asio::awaitable<error_code> (soak::*start)(leash&);
    };
    static constexpr kind kinds[] = {
        {22, "ping", &soak::ping},       {36, "version", &soak::version}, {50, "list", &soak::list},
        {66, "inspect", &soak::inspect}, {76, "tag", &soak::tag},         {82, "create", &soak::create},
        {87, "save", &soak::save},       {92, "events", &soak::events},   {97, "build", &soak::build},
        {100, "run", &soak::run},
    };
    const auto lot = random_() % 100;
    const kind& chosen = *std::ranges::find_if(kinds, [lot](const kind& one) { return lot < one.below; });
    ++under_way_[chosen.name];
    const error_code code = co_await (this->*chosen.start)(rope);
    --under_way_[chosen.name];
    co_return code;
  }

  asio::awaitable<error_code> ping(leash& rope) {
    auto [code, pong] = co_await engine::async_ping(daemon_, rope.token());
    co_return code;
  }
  asio::awaitable<error_code> version(leash& rope) {
    auto [code, found] = co_await engine::async_version(daemon_, rope.token());
    co_return code;
  }
  asio::awaitable<error_code> list(leash& rope) {
    engine::image_list_options options;
    auto [code, rows] = co_await engine::async_image_list(daemon_, options, rope.token());
    co_return code;
  }
  asio::awaitable<error_code> inspect(leash& rope) {
    const bool there = random_() % 2 == 0;
    const std::string name = there ? image_ : image_ + "-none";
    auto [code, found] = co_await engine::async_image_inspect(daemon_, name, rope.token());
    if (!code && !there) std::abort();
    co_return code;
  }
  asio::awaitable<error_code> tag(leash& rope) {
    const std::string name = image_ + "-tag" + std::to_string(random_() % 20);
    auto [code] = co_await engine::async_image_tag(daemon_, image_, name, rope.token());
    if (code || rope.stopped) co_return code;
    engine::image_remove_options options;
    auto [kept, gone] = co_await engine::async_image_remove(daemon_, name, options, rope.token());
    co_return kept;
  }
  asio::awaitable<error_code> create(leash& rope) {
    engine::container_options options;
    options.image = image_;
    options.cmd = {"exit", "0"};
    auto [code, made] = co_await engine::async_container_create(daemon_, options, rope.token());
    if (code || rope.stopped) co_return code;
    engine::remove_options removal;
    auto [kept] = co_await engine::async_container_remove(daemon_, made.id, removal, rope.token());
    co_return kept;
  }
  // A stream that is dropped in the middle.
  asio::awaitable<error_code> save(leash& rope) {
    std::vector<std::string> names(1, image_);
    engine::image_save_options options;
    auto [code, tar] = co_await engine::async_image_save(daemon_, names, options, rope.token());
    if (code) co_return code;
    std::array<char, 4096> block;
    for (auto i = random_() % 8; i > 0 && !rope.stopped; --i) {
      auto begin = [&tar = tar, &block](auto handler) {
        tar->async_read_some(asio::buffer(block), transfer_handler(std::move(handler)));
      };
      auto token = rope.token();
      auto [failed, size] =
          co_await asio::async_initiate<decltype(token), void(error_code, std::size_t)>(begin, token);
      if (failed) co_return failed;
      if (size == 0) break;
    }
    co_return error_code();
  }
  asio::awaitable<error_code> events(leash& rope) {
    rope.stop_after(30ms);
    engine::events_options options;
    engine::daemon_event_sink ignore = [](const engine::daemon_event&) {};
    auto [code] = co_await engine::async_events(daemon_, options, ignore, rope.token());
    co_return code;
  }
  asio::awaitable<error_code> build(leash& rope) {
    // Five contexts, which the builder soon has in its cache.
    scratch_tree tree;
    tree.file("Dockerfile", "FROM " + image_ + "\nLABEL soak=" + std::to_string(random_() % 5) + "\n");
    archive::context_options wanted;
    wanted.directory = tree.root();
    wanted.compress = random_() % 2 == 0 ? archive::compression::none : archive::compression::gzip;
    auto [unreadable, context] =
        co_await archive::async_open_context(daemon_.get_executor(), wanted, rope.token());
    if (unreadable || rope.stopped) co_return unreadable;
    engine::build_options options;
    options.dockerfile = context.dockerfile_name();
    options.force_remove = true;
    std::shared_ptr<byte_source> source = context.pack();
    progress::event_sink ignore = [](const progress::event&) {};
    auto [code, image] = co_await engine::async_build(daemon_, source, options, ignore, rope.token());
    co_return code;
  }
  asio::awaitable<error_code> run(leash& rope) {
    engine::run_options options;
    options.container.image = image_;
    options.container.cmd = {"say", "7", "to out", "to err"};
    options.remove = true;
    std::string out;
    std::string err;
    engine::output_sink sink = [&](progress::output_stream stream, std::string_view bytes) {
      (stream == progress::output_stream::err ? err : out) += bytes;
    };
    auto [code, ended] = co_await engine::async_run(daemon_, options, sink, rope.token());
    // A connection that is cut between two frames looks like the container's end, but never like more.
    if (!std::string_view("to out").starts_with(out) || !std::string_view("to err").starts_with(err))
      std::abort();
    if (!code && ended.status != 7) std::abort();
    co_return code;
  }

  engine::client daemon_;
  std::string image_;
  std::mt19937_64 random_;
  int left_ = 0;
  int done_ = 0;
  std::map<std::string, int> outcomes_;
  std::map<std::string, int> under_way_;  // by kind
};

// Containers whose removal was lost with its connection.
asio::awaitable<void> remove_leftovers(engine::client daemon, std::string image) {
  co_await remove_containers_of(daemon, image);
  for (int i = 0; i < 20; ++i) {
    engine::image_remove_options options;
    options.force = true;
    const std::string name = image + "-tag" + std::to_string(i);
    auto [kept, gone] = co_await engine::async_image_remove(daemon, name, options, no_throw);
    (void)kept;
  }
}

void print(int operations, const measure& now, std::uint64_t faults) {
  std::printf("%10d %11ld %7ld %9.1f %9.1f %7llu\n", operations, now.descriptors, now.threads,
              static_cast<double>(now.heap) / 1024, static_cast<double>(now.resident) / 1024,
              static_cast<unsigned long long>(faults));
  std::fflush(stdout);
}

int soak_for(int operations, std::uint64_t seed, const std::string& path) {
  const test::faulty_relay relay(path, percent_of_faults, seed);
  const std::string& image = base_image();
  asio::io_context loop(1);
  // The loop's own descriptors are made when it is first used.
  asio::steady_timer(loop).expires_after(0s);
  asio::local::stream_protocol::socket(loop).open();
  const measure at_first = measure_now();
  std::optional<measure> settled;
  measure last;
  bool hung = false;
  std::printf("operations descriptors threads  heap KiB  anon KiB  faults\n");
  print(0, at_first, 0);
  {
    engine::client_options options;
    options.host = relay.host();
    options.connect_timeout = 2s;
    options.answer_timeout = 2s;
    options.idle_timeout = 500ms;
    soak all(engine::client(loop.get_executor(), options), image, seed);
    for (int part = 1; part <= 10 && !hung; ++part) {
      all.start(loop, operations * part / 10 - operations * (part - 1) / 10);
      loop.restart();
      // Whatever is left to do keeps it from returning.
      while (!loop.stopped() && !hung) {
        const int before = all.done();
        loop.run_for(longest_end);
        hung = !loop.stopped() && all.done() == before;
      }
      last = measure_now();
      if (!settled) settled = last;
      print(all.done(), last, relay.counts().faults());
    }
    for (const auto& [what, count] : all.outcomes()) std::printf("%6d  %s\n", count, what.c_str());
    for (const auto& [what, count] : all.under_way()) {
      if (count > 0) std::printf("FAILED: %d x %s does not end\n", count, what.c_str());
    }
  }
  // The client is gone, and its kept connections with it.
  loop.restart();
  loop.poll();
  const measure at_last = measure_now();
  print(operations, at_last, relay.counts().faults());
  const auto counts = relay.counts();
  std::printf("%llu connections, of which %llu were refused, %llu cut, %llu reset and %llu stalled\n",
              static_cast<unsigned long long>(counts.connections),
              static_cast<unsigned long long>(counts.refused), static_cast<unsigned long long>(counts.cut),
              static_cast<unsigned long long>(counts.reset), static_cast<unsigned long long>(counts.stalled));
  asio::io_context cleaning;
  engine::client_options direct;
  direct.host = "unix://" + path;
  asio::co_spawn(cleaning, remove_leftovers(engine::client(cleaning.get_executor(), direct), image),
                 asio::detached);
  cleaning.run();
  remove_base_image();

  bool failed = hung;
  const auto check = [&](bool good, const char* what) {
    if (good) return;
    std::printf("FAILED: %s grew\n", what);
    failed = true;
  };
  // The client keeps up to eight connections, and what it has learned; the library a pool of threads for
  // files.
  check(at_last.descriptors <= at_first.descriptors, "the number of descriptors");
  check(last.descriptors <= settled->descriptors + at_once, "the number of descriptors");
  check(last.threads <= settled->threads, "the number of threads");
  check(last.heap <= settled->heap + 16 * 1024, "memory");
  // A sanitizer remembers where memory was taken.
  constexpr long kept = test::is_sanitized ? 8 * 1024 * 1024 : 512 * 1024;
  check(last.resident <= settled->resident + kept, "resident memory");
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace dockline::daemon_test

int main(int argc, char** argv) {
  const char* host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
  if (host == nullptr || !std::string_view(host).starts_with("unix://")) {
    std::puts("skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)");
    return 77;
  }
  // All threads allocate from one place, which is what mallinfo() tells of, and what a thread keeps for later would
  // count as used: that can only be turned off before the program starts.
  if (std::getenv("GLIBC_TUNABLES") == nullptr) {
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
    ::execv("/proc/self/exe", argv);
  }
  ::mallopt(M_ARENA_MAX, 1);
  // The helpers of the suite assert.
  doctest::Context context;
  context.setAsDefaultForAssertsOutOfTestCases();
  const int operations = argc > 1 ? std::atoi(argv[1]) : 1000;
  const auto seed = argc > 2 ? static_cast<std::uint64_t>(std::atoll(argv[2])) : 1;
  try {
    return dockline::daemon_test::soak_for(operations, seed,
                                           std::string(host).substr(std::string_view("unix://").size()));
  } catch (const std::exception& thrown) {
    std::printf("failed: %s\n", thrown.what());
    return 1;
  }
}
