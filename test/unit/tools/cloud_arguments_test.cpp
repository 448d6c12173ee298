#include "commands/cloud_arguments.hpp"

#include "commands/build_arguments.hpp"
#include "unit/tools/parsed.hpp"

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::tool {
namespace {

using words = std::vector<std::string>;

// Of the words after `dockline build`.
std::string why_not(words given, const global_options& global = {}) {
  return why_not(parsed<build_arguments>(std::move(given)), global);
}

}  // namespace

TEST_SUITE("tools/cloud_arguments") {
  TEST_CASE("what the cloud is told") {
    const auto cloud =
        parsed<build_arguments>({"--image-build-bucket", "b", "--project", "p", "--region", "r",
                                 "--disk-size", "7", "--build-tag", "one", "--build-tag", "two", "."})
            .cloud;
    CHECK(cloud.bucket == "b");
    CHECK(cloud.project == "p");
    CHECK(cloud.region == "r");
    CHECK(cloud.disk_size_gb == 7);
    CHECK(cloud.build_tags == words{"one", "two"});
    const auto more = parsed<build_arguments>({"--image-build-bucket", "b", "--bucket-location", "EU",
                                               "--wait-timeout", "5m", "--on-wait-timeout", "leave",
                                               "--substitution", "_A=1", "--substitution", "_B=x=y", "."})
                          .cloud;
    CHECK(more.bucket_location == "EU");
    CHECK(more.wait_timeout == "5m");
    CHECK(more.on_wait_timeout == "leave");
    CHECK(more.substitutions == words{"_A=1", "_B=x=y"});
  }

  TEST_CASE("options of one way are refused on the other") {
    CHECK(why_not({"."}).empty());
    CHECK(why_not({"--memory", "1g", "."}).empty());
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "."}).empty());
    CHECK(why_not({"--region", "r", "."}).starts_with("--region: "));
    CHECK(why_not({"--build-tag", "t", "."}).starts_with("--build-tag: "));
    for (const words& alone : {words{"--bucket-location", "EU"}, words{"--wait-timeout", "1s"},
                               words{"--on-wait-timeout", "leave"}, words{"--substitution", "_A=1"}}) {
      words all{"."};
      all.insert(all.begin(), alone.begin(), alone.end());
      CHECK(why_not(all).starts_with(alone.front() + ": "));
    }
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--on-wait-timeout", "leave", "."})
              .starts_with("--on-wait-timeout: "));
    CHECK(why_not({"--image-build-bucket", "b", "."}).starts_with("--tag: "));
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "-m", "1g", "."}).starts_with("--memory: "));
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--rm=false", "."}).starts_with("--rm=false: "));
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--compression", "none", "."})
              .starts_with("--compress"));
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--ulimit", "nofile=1", "."})
              .starts_with("--ulimit"));
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--worker-pool", "w", "."}).empty());
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "--worker-pool", "w", "--machine-type", "m", "."})
              .starts_with("--machine-type: a private pool"));
    // A secret that is not there, or an output that nobody writes, would be worse than a word.
    for (const words& more : {words{"--secret", "id=a,src=f"}, words{"--ssh", "default"},
                              words{"--output", "d"}, words{"--cache-to", "type=inline"}, words{"--load"}}) {
      words all{"--image-build-bucket", "b", "-t", "x", "."};
      all.insert(all.begin(), more.begin(), more.end());
      CHECK(why_not(all).starts_with(more.front() + ": "));
    }
    global_options global;
    global.host = "unix:///s";
    CHECK(why_not({"--image-build-bucket", "b", "-t", "x", "."}, global).starts_with("--host: "));
  }

  TEST_CASE("a bucket's name, however it is written") {
    for (const auto* text : {"box", "gs://box", "gs://box/", "box//"}) CHECK(bucket_name_of(text) == "box");
    CHECK(bucket_name_of("gs://box/logs/") == "box/logs");
    CHECK(bucket_name_of("gs://").empty());
  }

  TEST_CASE("times") {
    using namespace std::chrono_literals;
    CHECK(parse_duration("90") == 90s);
    CHECK(parse_duration("90s") == 90s);
    CHECK(parse_duration("20m") == 20min);
    CHECK(parse_duration("2h") == 2h);
    for (const auto* text : {"", "0", "-1", "s", "1d", "1.5h", "1 h", "1hh", "99999999999h"})
      CHECK_MESSAGE(!parse_duration(text), text);
  }
}

}  // namespace dockline::tool
