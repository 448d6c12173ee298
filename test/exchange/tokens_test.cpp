// Every kind of completion token, and operations from several threads.

#include "exchange/conversation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace dockline::test {
namespace {

void serve_version(peer& client) {
  for (;;) {
    client.read_request();
    client.send(version_answer);
  }
}

void serve_builds(peer& client) {
  client.read_request();
  client.send(chunked_answer({R"({"errorDetail":{"code":2,"message":"make said no"}})"}));
  client.wait_for_close();
}

template <class Body>
void in_coroutine(asio::io_context& context, Body body) {
  bool done = false;
  asio::co_spawn(context, std::move(body), [&](std::exception_ptr failure) {
    CHECK_FALSE(failure);
    done = true;
  });
  context.restart();
  context.run_for(patience);
  CHECK(done);
}

// The loop in a thread of its own, while the test waits for a future.
class background {
 public:
  explicit background(asio::io_context& context)
      : thread_([&context] {
          context.restart();
          context.run_for(patience);
        }) {}
  ~background() { thread_.join(); }
  background(const background&) = delete;
  background& operator=(const background&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

TEST_SUITE("exchange/tokens") {
  TEST_CASE("a callback, never called before the operation has returned, on its own executor") {
    fake_daemon daemon(serve_version);
    conversation talk(daemon);
    asio::thread_pool elsewhere(1);
    std::promise<std::thread::id> where;
    std::atomic<bool> returned = false;
    bool after = false;
    engine::async_version(talk.daemon,
                          asio::bind_executor(elsewhere, [&](error_code code, engine::version_result what) {
                            after = returned;
                            CHECK(code == error_code());
                            CHECK(what.version == "1.2.3");
                            where.set_value(std::this_thread::get_id());
                          }));
    returned = true;
    talk.run();
    CHECK(where.get_future().get() != std::this_thread::get_id());
    elsewhere.join();
    CHECK(after);
  }

  TEST_CASE("co_await: with the default token, which throws the daemon's words, and with others") {
    fake_daemon daemon(serve_builds);
    fake_daemon versions(serve_version);
    conversation talk(daemon);
    engine::client other(talk.context.get_executor(), options_for(versions.host()));
    in_coroutine(talk.context, [&]() -> asio::awaitable<void> {
      const auto answer = co_await engine::async_version(other);
      CHECK(answer.version == "1.2.3");
      auto source = std::make_shared<scripted_source>(talk.context.get_executor(), 10);
      engine::build_options options;
      try {
        co_await engine::async_build(talk.daemon, source, options, nullptr);
        FAIL("a failed build did not throw");
      } catch (const error_with_diagnostics& failure) {
        CHECK(failure.code() == errc::build_failed);
        CHECK(std::string(failure.what()) == "exit code 2: make said no");
        CHECK(failure.why().step() != nullptr);
      }
      diagnostics why;
      try {
        co_await engine::async_build(talk.daemon, source, options, nullptr, why);
        FAIL("a failed build did not throw");
      } catch (const error_with_diagnostics& failure) {
        CHECK(std::string(failure.what()) == "exit code 2: make said no");
      }
      CHECK(why.server_message() == "make said no");
      why.clear();
      try {
        co_await engine::async_build(talk.daemon, source, options, nullptr, why, asio::use_awaitable);
        FAIL("a failed build did not throw");
      } catch (const boost::system::system_error& failure) {
        CHECK(failure.code() == errc::build_failed);
      }
      CHECK(why.server_message() == "make said no");
      auto [code, image] = co_await engine::async_build(talk.daemon, source, options, nullptr, why,
                                                        asio::as_tuple(asio::use_awaitable));
      CHECK(code == errc::build_failed);
      CHECK(image.id.empty());
    });
  }

  TEST_CASE("a future, bare and with diagnostics") {
    fake_daemon daemon(serve_builds);
    conversation talk(daemon);
    const auto source = [&] { return std::make_shared<scripted_source>(talk.context.get_executor(), 10); };
    auto bare =
        engine::async_build(talk.daemon, source(), engine::build_options(), nullptr, asio::use_future);
    auto full = engine::async_build(talk.daemon, source(), engine::build_options(), nullptr,
                                    with_diagnostics(asio::use_future));
    const background loop(talk.context);
    REQUIRE(bare.wait_for(patience) == std::future_status::ready);
    REQUIRE(full.wait_for(patience) == std::future_status::ready);
    CHECK_THROWS_AS(bare.get(), boost::system::system_error);
    CHECK_THROWS_WITH_AS(full.get(), "exit code 2: make said no", error_with_diagnostics);
  }

  TEST_CASE("deferred starts nothing until it is asked to") {
    fake_daemon daemon(serve_version);
    conversation talk(daemon);
    auto later = engine::async_version(talk.daemon, asio::deferred);
    talk.run();
    CHECK(daemon.accepted() == 0);
    std::string version;
    std::move(later)([&](error_code code, const engine::version_result& what) {
      CHECK(code == error_code());
      version = what.version;
    });
    talk.run();
    CHECK(version == "1.2.3");
    in_coroutine(talk.context, [&]() -> asio::awaitable<void> {
      auto [code, what] = co_await engine::async_version(talk.daemon, asio::as_tuple(asio::deferred));
      CHECK(code == error_code());
      CHECK(what.version == "1.2.3");
    });
  }

  TEST_CASE("detached, where nobody hears of the end") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(version_answer);
      client.wait_for_close();
    });
    {
      conversation talk(daemon);
      engine::async_version(talk.daemon, asio::detached);
      talk.run();
    }
    CHECK(daemon.wait()[0].script_done);
  }

  TEST_CASE("an operation keeps the loop of its handler running") {
    fake_daemon daemon(serve_version);
    asio::io_context own;
    asio::thread_pool pool(1);
    engine::client client(pool.get_executor(), options_for(daemon.host()));
    bool done = false;
    engine::async_version(client,
                          asio::bind_executor(own, [&](error_code code, const engine::version_result&) {
                            CHECK(code == error_code());
                            done = true;
                          }));
    own.run_for(patience);
    CHECK(done);
    pool.join();
  }
}

TEST_SUITE("exchange/threads") {
  TEST_CASE("started, cancelled and completed on several threads at once") {
    fake_daemon daemon([](peer& client) {
      for (;;) {
        const seen_request& request = client.read_head();
        if (request.line().starts_with("POST")) {
          client.read_body();
          client.send(chunked_answer({built}));
        } else {
          client.send(version_answer);
        }
      }
    });
    engine::client_options options = options_for(daemon.host());
    options.api_version.clear();
    asio::thread_pool pool(4);
    engine::client client(pool.get_executor(), options);
    constexpr int threads = 4;
    constexpr int rounds = 12;
    std::atomic<int> completions = 0;
    std::atomic<int> unexpected = 0;
    std::vector<std::thread> starters;
    for (int t = 0; t < threads; ++t) {
      starters.emplace_back([&, t] {
        for (int i = 0; i < rounds; ++i) {
          std::promise<error_code> over;
          asio::cancellation_signal stop;
          const auto end = [&](error_code code, const auto& what) {
            ++completions;
            (void)what;
            over.set_value(code);
          };
          if (t % 2 == 0) {
            engine::async_version(client, asio::bind_cancellation_slot(stop.slot(), end));
          } else {
            auto source = std::make_shared<scripted_source>(pool.get_executor(), 600'000);
            engine::async_build(client, source, engine::build_options(), nullptr,
                                asio::bind_cancellation_slot(stop.slot(), end));
          }
          if (i % 3 == 0) stop.emit(asio::cancellation_type::terminal);
          auto waited = over.get_future();
          if (waited.wait_for(patience) != std::future_status::ready) {
            ++unexpected;
            return;
          }
          const error_code code = waited.get();
          if (code && code != condition::cancelled) ++unexpected;
          if (code && i % 3 != 0) ++unexpected;
        }
      });
    }
    for (auto& thread : starters) thread.join();
    CHECK(completions == threads * rounds);
    CHECK(unexpected == 0);
    pool.join();
  }
}

}  // namespace dockline::test
