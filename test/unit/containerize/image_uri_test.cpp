#include "containerize/image_uri.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace dockline::containerize {

TEST_SUITE("containerize/image_uri") {
  TEST_CASE("derived names") {
    constexpr const char* uuid = "123e4567-e89b-42d3-a456-426614174000";
    CHECK(derived_image_uri("gcr.io/my-project", uuid) ==
          "gcr.io/my-project/tf_cloud_train:123e4567_e89b_42d3_a456_426614174000");
    CHECK(derived_image_uri("127.0.0.1:5000/", uuid) ==
          "127.0.0.1:5000/tf_cloud_train:123e4567_e89b_42d3_a456_426614174000");
    CHECK(derived_image_uri("", uuid) == "tf_cloud_train:123e4567_e89b_42d3_a456_426614174000");
    CHECK(registry_of_project("my-project") == "gcr.io/my-project");
    CHECK(registry_of_project("example.com:my-project") == "gcr.io/example.com/my-project");
  }

  TEST_CASE("random UUIDs are of version 4, differ, and make names that can be read") {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      const std::string uuid = random_uuid();
      REQUIRE(uuid.size() == 36);
      CHECK((uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-'));
      CHECK(uuid[14] == '4');
      CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
      seen.insert(uuid);
      diagnostics why;
      CHECK(engine::parse_image_ref(derived_image_uri("gcr.io/p", uuid), why).has_value());
    }
    CHECK(seen.size() == 100);
  }
}

}  // namespace dockline::containerize
