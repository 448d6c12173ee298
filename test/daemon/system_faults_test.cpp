// Questions to the daemon itself, and to registries by way of it, over a line that breaks: see broken_line.hpp.

#include "dockline/engine/auth_check.hpp"
#include "dockline/engine/build_cache.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/image_list.hpp"

#include "daemon/broken_line.hpp"

#include <boost/system/system_error.hpp>

#include <doctest/doctest.h>

#include <cstdlib>

namespace dockline::daemon_test {
namespace {

// What nothing has, so that nothing is removed.
engine::filter_map filter_of_none(const std::string& name) { return {{"label", {name + "-none"}}}; }

// A registry that is not there says so by the daemon, which is an answer.
asio::awaitable<std::string> search_in_vain(engine::client daemon) {
  auto [code, found] = co_await engine::async_image_search(daemon, "127.0.0.1:1/nothing", {}, no_throw);
  if (code && code != errc::service_failed && code != errc::bad_request)
    throw boost::system::system_error(code);
  co_return std::to_string(found.size()) + ' ' + code.message();
}

asio::awaitable<std::string> log_in(engine::client daemon, engine::registry_auth who) {
  auto [code, answer] = co_await engine::async_auth_check(daemon, who, no_throw);
  if (code && code != errc::service_failed && code != errc::unauthorized)
    throw boost::system::system_error(code);
  co_return answer.status + ' ' + code.message();
}

}  // namespace

TEST_SUITE("daemon/faults") {
  TEST_CASE("a ping, a search in a registry that is not there, and the end of a build that nobody knows") {
    breaking how(8);
    // A search takes as long as the registry does.
    how.endless = true;
    break_everywhere(
        [](engine::client daemon) -> asio::awaitable<std::string> {
          const auto pong = co_await engine::async_ping(daemon);
          const std::string found = co_await search_in_vain(daemon);
          if (!engine_fixture::is_podman()) co_await engine::async_build_cancel(daemon, "nothing");
          co_return pong.api_version + ' ' + found;
        },
        how);
  }

  TEST_CASE("prunes of nothing") {
    engine_fixture engine;
    const std::string name = engine.name("pruned");
    breaking how(8);
    how.endless = true;
    // With another filter, or with none, they would remove what is not ours.
    how.harmless = false;
    break_everywhere(
        [name](engine::client daemon) -> asio::awaitable<std::string> {
          engine::filter_map none = filter_of_none(name);
          const auto containers = co_await engine::async_container_prune(daemon, none);
          engine::image_prune_options no_image;
          no_image.filters = none;
          const auto images = co_await engine::async_image_prune(daemon, no_image);
          std::size_t records = 0;
          if (!engine_fixture::is_podman()) {
            engine::build_prune_options no_record;
            no_record.filters = {{"id", {name}}};
            records = (co_await engine::async_build_prune(daemon, no_record)).ids.size();
          }
          co_return std::to_string(containers.deleted.size() + images.deleted.size() + records);
        },
        how);
  }

  TEST_CASE("a login that a registry takes, and one that it does not") {
    const char* registry = std::getenv("DOCKLINE_TEST_CLOSED_REGISTRY");
    if (registry == nullptr || engine_fixture::is_podman()) {
      MESSAGE("skipped: DOCKLINE_TEST_CLOSED_REGISTRY is not set, or podman, which logs in by HTTPS alone");
      return;
    }
    breaking how(6);
    break_everywhere(
        [registry](engine::client daemon) -> asio::awaitable<std::string> {
          engine::registry_auth who("test", "test");
          who.server_address = registry;
          engine::registry_auth other("test", "other");
          other.server_address = registry;
          const std::string taken = co_await log_in(daemon, who);
          const std::string refused = co_await log_in(daemon, other);
          co_return taken + ' ' + refused;
        },
        how);
  }
}

}  // namespace dockline::daemon_test
