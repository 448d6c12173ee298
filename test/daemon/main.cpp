#define DOCTEST_CONFIG_IMPLEMENT
#include "daemon/daemon_helpers.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

// Exits with 77, which Meson shows as skipped, where there is no daemon to test with.
int main(int argc, char** argv) {
  using namespace dockline::daemon_test;
  const char* host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
  if (host == nullptr || *host == '\0') {
    std::puts("skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)");
    return 77;
  }
  try {
    engine_fixture::is_podman();
  } catch (const std::exception& thrown) {
    std::printf("skipped: %s\n", thrown.what());
    return 77;
  }
  const int status = doctest::Context(argc, argv).run();
  remove_base_image();
  return status;
}
