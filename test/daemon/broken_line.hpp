#pragma once

// Operations on a real engine, over a connection that breaks at a byte, for many bytes and in every way in
// which connections break: each gives the right result or an error, and comes to its end.

#include "daemon/daemon_helpers.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::daemon_test {

// What operations made, as text that is the same each time. The first one that fails throws.
using scenario = std::function<asio::awaitable<std::string>(engine::client)>;

// The operation undisturbed, slowly, and with the line broken at about `points` bytes in each direction. What it makes
// is not compared where it is another thing each time (`repeatable`).
void break_everywhere(const scenario& what, std::size_t points, bool repeatable = true);

// The same for a build, which is given a context and the image's name and returns the image's id. What has the name in
// the end is what was built, to the last byte.
using build_scenario = std::function<asio::awaitable<std::string>(engine::client, archive::build_context,
                                                                  engine::build_options)>;
void break_build(std::string_view name, archive::ignore_mode mode, build_scenario build);

// Containers of an image, removed at the end, whatever connection was lost before they could be.
struct leftovers {
  explicit leftovers(engine_fixture& own, std::string from) : engine(own), image(std::move(from)) {}
  leftovers(const leftovers&) = delete;
  leftovers& operator=(const leftovers&) = delete;
  ~leftovers() { engine.run(remove_containers_of(engine.daemon(), image)); }

  engine_fixture& engine;
  std::string image;
};

}  // namespace dockline::daemon_test
