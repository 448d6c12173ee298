// Builds in a BuildKit session, over a line that breaks: see broken_line.hpp.

#include "dockline/buildkit/build.hpp"

#include "daemon/broken_line.hpp"

#include <doctest/doctest.h>

namespace dockline::daemon_test {

TEST_SUITE("daemon/faults") {
  TEST_CASE("a build in a session: the image, or an error, and no image under its name that is another one") {
    if (engine_fixture::is_podman()) {
      MESSAGE("skipped: podman has no sessions");
      return;
    }
    const archive::context_options usual;
    break_build("session-faults", usual.mode,
                [](engine::client daemon, archive::build_context context,
                   engine::build_options image) -> asio::awaitable<std::string> {
                  buildkit::build_options options;
                  options.builder = buildkit::builder_choice::buildkit;
                  options.image = std::move(image);
                  progress::event_sink ignore = [](const progress::event&) {};
                  const auto built =
                      co_await buildkit::async_build(daemon, std::move(context), options, ignore);
                  co_return built.image_id;
                });
  }
}

}  // namespace dockline::daemon_test
