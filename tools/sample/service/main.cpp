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

#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, port);
  if (failed != std::errc() || stop != end) return std::nullopt;
  return port;
}

std::shared_ptr<dockline::containerize::image_builder> builder_of_this_machine(asio::io_context& io) {
  dockline::containerize::local_builder_options how;
  dockline::diagnostics why;
  if (auto store = dockline::engine::credential_store_from_environment(why)) {
    how.credentials = std::move(*store);
  } else {
    std::fprintf(stderr, "warning: all registries are spoken to anonymously: %s\n",
                 dockline::describe(store.error(), why).c_str());
  }
  return dockline::containerize::make_local_builder(
      dockline::engine::client(io.get_executor(), dockline::engine::client_options_from_environment()),
      std::move(how));
}

int run(std::uint16_t port, std::string root) {
  asio::thread_pool work(2);  // the disk is read here, and nowhere else
  asio::io_context io(1);

  auto shared = std::make_shared<sample::service>();
  shared->builder = builder_of_this_machine(io);
  shared->work = work.get_executor();
  shared->root = std::move(root);

  // What runs then is dropped with the event loop: the connections close, and the daemon ends the builds.
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&io](boost::system::error_code, int) { io.stop(); });

  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), port));
  std::printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::co_spawn(io, sample::serve(std::move(shared), std::move(acceptor)), asio::detached);
  io.run();
  work.stop();
  work.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: %s PORT ROOT\nThe daemon is the one at DOCKER_HOST. Port 0 is any free one.\n",
                 argv[0]);
    return 2;
  }
  const auto port = port_of(argv[1]);
  if (!port) {
    std::fprintf(stderr, "error: PORT \"%s\": a port is a number from 0 to 65535\n", argv[1]);
    return 2;
  }
  std::error_code failed;
  if (!std::filesystem::is_directory(argv[2], failed)) {
    std::fprintf(stderr, "error: ROOT \"%s\": %s\n", argv[2],
                 failed ? failed.message().c_str() : "is not a directory");
    return 2;
  }
  try {
    return run(*port, argv[2]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return 1;
  }
}
