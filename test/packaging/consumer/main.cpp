// What a stranger's program does with an installed dockline: it links, its handlers run, its codes are the
// library's.

#include <dockline/engine/system.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdio>

namespace asio = boost::asio;

int main() {
  asio::io_context context;
  int status = 1;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        dockline::engine::client_options options;
        options.host = "unix:///nowhere/docker.sock";
        const dockline::engine::client daemon(co_await asio::this_coro::executor, options);
        try {
          co_await dockline::engine::async_ping(daemon);
        } catch (const dockline::error_with_diagnostics& failure) {
          std::printf("%s\n", failure.what());
          if (failure.code() == dockline::condition::unreachable) status = 0;
        }
      },
      asio::detached);
  context.run();
  return status;
}
