// Builds with the classic builder, over a line that breaks: see broken_line.hpp.

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

namespace dockline::daemon_test {

TEST_SUITE("daemon/build faults") {
  TEST_CASE("a build: the image, or an error, and no image under its name that is another one") {
    break_build("faults", archive::ignore_mode::classic, 6,
                [](engine::client daemon, archive::build_context context,
                   engine::build_options options) -> asio::awaitable<std::string> {
                  options.dockerfile = context.dockerfile_name();
                  options.force_remove = true;
                  std::shared_ptr<byte_source> source = context.pack();
                  progress::event_sink ignore = [](const progress::event&) {};
                  const auto image = co_await engine::async_build(daemon, source, options, ignore);
                  co_return image.id;
                });
  }
}

}  // namespace dockline::daemon_test
