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

  TEST_CASE("the name that is chosen: its own, in the registry, in the project's, or a local one") {
    const uuid_source uuid = [] { return std::string("a-b"); };
    containerize_options options;
    diagnostics why;
    CHECK(choose_image(options, uuid, why).error() == errc::invalid_argument);
    CHECK(why.client_message().starts_with("image: an image that is pushed needs a place"));
    options.push = false;
    CHECK(choose_image(options, uuid, why).value() == "tf_cloud_train:a_b");
    options.push = true;
    options.project = "my-project";
    CHECK(choose_image(options, uuid, why).value() == "gcr.io/my-project/tf_cloud_train:a_b");
    options.registry = "h:5000/x";
    CHECK(choose_image(options, uuid, why).value() == "h:5000/x/tf_cloud_train:a_b");
    CHECK(choose_image(options, {}, why).value().size() ==
          std::string("h:5000/x/tf_cloud_train:").size() + 36);
    options.docker.image = "given:1";
    CHECK(choose_image(options, uuid, why).value() == "given:1");
  }

  TEST_CASE("the cache: the one that is named, else the image's own, when that was given") {
    docker_config docker;
    CHECK(choose_cache(docker) == "");
    docker.image = "app:1";
    CHECK(choose_cache(docker) == "app:1");
    docker.cache_from = "cache:1";
    CHECK(choose_cache(docker) == "cache:1");
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
