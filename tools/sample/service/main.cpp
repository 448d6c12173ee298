// A service that builds images for its clients, several at once, on one thread. See docs/service.md.

#include <dockline/containerize/local_builder.hpp>
#include <dockline/engine/client.hpp>
#include <dockline/engine/credentials.hpp>

#include "service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

int main(int argc, char** argv) {
  namespace asio = boost::asio;
  using asio::ip::tcp;
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: %s PORT ROOT\nThe daemon is the one at DOCKER_HOST. Port 0 is any free one.\n",
                 argv[0]);
    return 2;
  }
  try {
    asio::thread_pool work(2);  // the disk is read here, and nowhere else
    asio::io_context io(1);

    dockline::containerize::local_builder_options how;
    dockline::diagnostics why;
    if (auto store = dockline::engine::credential_store_from_environment(why))
      how.credentials = std::move(*store);
    auto shared = std::make_shared<sample::service>();
    shared->builder = dockline::containerize::make_local_builder(
        dockline::engine::client(io.get_executor(), dockline::engine::client_options_from_environment()),
        std::move(how));
    shared->work = work.get_executor();
    shared->root = argv[2];

    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    std::printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
    std::fflush(stdout);

    // What runs then is dropped with the event loop: the connections close, and the daemon ends the builds.
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](boost::system::error_code, int) { io.stop(); });
    asio::co_spawn(io, sample::serve(std::move(shared), std::move(acceptor)), asio::detached);
    io.run();
    work.stop();
    work.join();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return 1;
  }
}
