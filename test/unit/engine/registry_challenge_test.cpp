#include "engine/registry_challenge.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::engine {

TEST_SUITE("engine/registry_challenge") {
  TEST_CASE("Docker Hub's own, and other ways to write it") {
    const auto hub = read_challenge(
        R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:tensorflow/tensorflow:pull")");
    REQUIRE(hub);
    CHECK(hub->realm == "https://auth.docker.io/token");
    CHECK(hub->service == "registry.docker.io");
    CHECK(hub->scopes == std::vector<std::string>{"repository:tensorflow/tensorflow:pull"});
    CHECK(token_url(*hub) ==
          "https://auth.docker.io/"
          "token?service=registry.docker.io&scope=repository%3Atensorflow%2Ftensorflow%3Apull");
    const auto other =
        read_challenge("bearer Realm = \"http://x/t?a=1\" , SCOPE=\"y z\", error=\"a \\\"b\\\" ,c\"");
    REQUIRE(other);
    CHECK(other->realm == "http://x/t?a=1");
    CHECK(token_url(*other) == "http://x/t?a=1&scope=y&scope=z");
  }

  TEST_CASE("what is none") {
    for (const std::string bad : {"", "Bearer", "Bearer ", "Basic realm=\"x\"", "Bearer service=\"x\"",
                                  "Bearer realm=\"x", "Bearer realm", "Bearerrealm=\"x\""})
      CHECK_MESSAGE(!read_challenge(bad), bad);
  }
}

}  // namespace dockline::engine
