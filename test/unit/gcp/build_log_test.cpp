#include "gcp/build_log.hpp"

#include "support/event_listing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace dockline::gcp {
namespace {

struct seen {
  std::string events;
  std::optional<failed_step> failure;
  std::string logged;  // all bytes of all logs
};

seen read(std::string_view text, int steps, int docker_step, bool succeeded, std::size_t piece = 1 << 20) {
  seen all;
  const auto listener = [&](const progress::event& what) {
    all.events += progress::list_event(what) + '\n';
    if (const auto* log = std::get_if<progress::step_log>(&what.body)) all.logged += log->bytes;
  };
  build_log log(listener, steps, docker_step);
  for (std::size_t i = 0; i < text.size(); i += piece) log.add(text.substr(i, piece), {});
  log.finish({}, succeeded);
  if (log.failure() != nullptr) all.failure = *log.failure();
  return all;
}

const std::string head =
    "starting build \"i1\"\n\nFETCHSOURCE\nFetching storage object: gs://b/o#7\n"
    "Copying gs://b/o#7...\n/ [1 files][  1.0 KiB/  1.0 KiB]\rOperation completed over 1 objects/1.0 KiB.\n"
    "BUILD\n";

const std::string classic_docker =
    "Already have image (with digest): gcr.io/cloud-builders/docker\n"
    "Sending build context to Docker daemon  3.072kB\r\n"
    "Step 1/3 : FROM busybox\n ---> 0123456789ab\n"
    "Step 2/3 : RUN echo hi\n ---> Running in 0123456789cd\nhi \xc3\xa4\n"
    "Removing intermediate container 0123456789cd\n ---> 0123456789ef\n"
    "Step 3/3 : COPY . .\n ---> Using cache\n ---> 0123456789aa\n"
    "Successfully built 0123456789aa\nSuccessfully tagged gcr.io/p/app:1\n";

const std::string push =
    "PUSH\nPushing gcr.io/p/app:1\nThe push refers to repository [gcr.io/p/app]\n"
    "0123456789ab: Preparing\n0123456789ab: Pushed\n"
    "1: digest: sha256:feed size: 528\nDONE\n";

// What is told of each part.
const std::string head_events = R"x(step_log 0 out "starting build \"i1\"\n"
step_log 0 out "\n"
step_log 0 out "Fetching storage object: gs://b/o#7\n"
step_log 0 out "Copying gs://b/o#7...\n"
step_log 0 out "/ [1 files][  1.0 KiB/  1.0 KiB]\rOperation completed over 1 objects/1.0 KiB.\n"
)x";
const std::string classic_events =
    R"x(step_log 0 out "Already have image (with digest): gcr.io/cloud-builders/docker\n"
step_log 0 out "Sending build context to Docker daemon  3.072kB\r\n"
step_started 1/3 "FROM busybox"
step_finished 1
step_started 2/3 "RUN echo hi"
step_log 2 out "hi ä\n"
step_finished 2
step_started 3/3 "COPY . ."
step_cached 3
step_finished 3
image_tagged gcr.io/p/app:1
)x";
const std::string push_events = R"x(step_log 0 out "Pushing gcr.io/p/app:1\n"
step_log 0 out "The push refers to repository [gcr.io/p/app]\n"
layer_progress "0123456789ab" "Preparing" 0/0 preparing
layer_progress "0123456789ab" "Pushed" 0/0 pushed
transfer_finished "1" "sha256:feed" size=528
)x";

// Each line of a step with its name before it.
std::string prefixed(std::string_view text, std::string_view name) {
  std::string all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    all += std::string(name) + ": " + std::string(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return all;
}

}  // namespace

TEST_SUITE("gcp/build_log") {
  TEST_CASE("the classic builder, one step") {
    const seen all = read(head + classic_docker + push, 1, 0, true);
    CHECK(all.events == head_events + classic_events + push_events);
    CHECK_FALSE(all.failure.has_value());
  }

  TEST_CASE("the classic builder behind the pull of a cache that is not there") {
    const std::string text =
        head +
        "Starting Step #0 - \"cache-0\"\nStep #0 - \"cache-0\": Error response from daemon: not found\n" +
        "Finished Step #0 - \"cache-0\"\nStarting Step #1 - \"build\"\n" +
        prefixed(classic_docker, "Step #1 - \"build\"") + "Finished Step #1 - \"build\"\n" + push;
    const seen all = read(text, 2, 1, true);
    CHECK(all.events == head_events + R"x(step_log 0 out "Error response from daemon: not found\n"
)x" + classic_events + push_events);
  }

  TEST_CASE("BuildKit") {
    const seen all = read(
        "BUILD\n"
        "#0 building with \"default\" instance using docker driver\n\n"
        "#1 [internal] load build definition from Dockerfile\n"
        "#1 transferring dockerfile: 100B done\n#1 DONE 0.0s\n\n"
        "#5 [1/2] FROM docker.io/library/busybox\n#5 CACHED\n\n"
        "#6 [2/2] RUN echo hi\n#6 0.321 hi #7 [x] y\n#6 ...\n\n"
        "#7 [internal] other\n#7 DONE 0.1s\n\n"
        "#6 [2/2] RUN echo hi\n#6 0.500 there\n#6 DONE 0.6s\n\n"
        "#8 exporting to image\n#8 exporting layers 0.1s done\n#8 DONE 0.1s\n" +
            push,
        1, 0, true);
    CHECK(all.events == R"x(step_log 0 out "building with \"default\" instance using docker driver\n"
step_started 1/0 "load build definition from Dockerfile" "[internal] load build definition from Dockerfile"
step_log 1 out "transferring dockerfile: 100B done\n"
step_finished 1
step_started 2/0 "FROM docker.io/library/busybox" "[1/2] FROM docker.io/library/busybox"
step_cached 2
step_finished 2
step_started 3/0 "RUN echo hi" "[2/2] RUN echo hi"
step_log 3 out "hi #7 [x] y\n"
step_started 4/0 "other" "[internal] other"
step_finished 4
step_log 3 out "there\n"
step_finished 3
step_started 5/0 "exporting to image"
step_log 5 out "exporting layers 0.1s done\n"
step_finished 5
)x" + push_events);
  }

  TEST_CASE("a step that fails: of the classic builder") {
    const std::string docker =
        "Step 1/2 : FROM busybox\n ---> 0123456789ab\nStep 2/2 : RUN make\n ---> Running in 0123456789cd\n"
        "one\ntwo\nRemoving intermediate container 0123456789cd\n"
        "The command '/bin/sh -c make' returned a non-zero code: 2\n";
    const std::string end =
        "ERROR\nERROR: build step 0 \"gcr.io/cloud-builders/docker\" failed: step exited with non-zero "
        "status: 2\n";
    for (const bool several : {false, true}) {
      CAPTURE(several);
      const seen all =
          several
              ? read("BUILD\nStarting Step #1\n" + prefixed(docker, "Step #1") + "Finished Step #1\n" + end,
                     2, 1, false)
              : read("BUILD\n" + docker + end, 1, 0, false);
      REQUIRE(all.failure.has_value());
      CHECK(all.failure->index == 2);
      CHECK(all.failure->total == 2);
      CHECK(all.failure->instruction == "RUN make");
      CHECK(all.failure->exit_code == 2);
      CHECK(all.failure->reason == "The command '/bin/sh -c make' returned a non-zero code: 2");
      CHECK(all.failure->log_tail.find("one\ntwo\n") == 0);
      CHECK(all.events.find("step_failed 2 exit_code=2") != std::string::npos);
    }
    const seen copy = read("BUILD\nStep 1/1 : COPY x y\nCOPY failed: no such file\n" + end, 1, 0, false);
    CHECK(copy.failure->reason == "COPY failed: no such file");
    CHECK_FALSE(copy.failure->exit_code);
  }

  TEST_CASE("a step that fails: of BuildKit") {
    const seen all = read(
        "BUILD\n#5 [build 1/2] FROM busybox\n#5 DONE 0.1s\n#6 [build 2/2] RUN make\n#6 0.321 one\n"
        "#7 [other 1/1] RUN sleep 9\n"
        "#6 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n#7 "
        "CANCELED\n------\n"
        " > [build 2/2] RUN make:\n0.321 one\n------\nERROR: failed to solve: process \"/bin/sh -c make\" "
        "did not "
        "complete successfully: exit code: 2\nERROR\nERROR: build step 0 \"x\" failed\n",
        1, 0, false);
    REQUIRE(all.failure.has_value());
    CHECK(all.failure->index == 2);
    CHECK(all.failure->total == 2);
    CHECK(all.failure->instruction == "RUN make");
    CHECK(all.failure->exit_code == 2);
    CHECK(all.failure->log_tail == "one\n");
    CHECK(all.failure->reason == "process \"/bin/sh -c make\" did not complete successfully: exit code: 2");
  }

  TEST_CASE("a cache that is not there is not what a build fails by") {
    for (const auto* title : {"importing cache manifest from gcr.io/p/app:1",
                              "[4] importing cache manifest from gcr.io/p/app:1"}) {
      const seen all = read(
          std::string("BUILD\n#5 ") + title +
              "\n#5 ERROR: gcr.io/p/app:1: not found\n#6 [2/2] RUN make\n#6 0.321 one\n"
              "#6 ERROR: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\nERROR\n",
          1, 0, false);
      REQUIRE(all.failure.has_value());
      CHECK(all.failure->instruction == "RUN make");
      CHECK(all.failure->exit_code == 2);
    }
    // A program may well print that.
    const seen own =
        read("BUILD\n#6 [2/2] RUN echo importing cache manifest from x\n#6 ERROR: exit code: 3\nERROR\n", 1,
             0, false);
    REQUIRE(own.failure.has_value());
    CHECK(own.failure->exit_code == 3);
  }

  TEST_CASE("however it is cut, it says the same") {
    const std::string text =
        head + "Starting Step #0\nStep #0: pulled\nFinished Step #0\nStarting Step #1\n" +
        prefixed(classic_docker, "Step #1") + "Finished Step #1\n" + push + "no end of line";
    const seen whole = read(text, 2, 1, true);
    CHECK(whole.logged.find("hi \xc3\xa4\n") != std::string::npos);
    for (std::size_t piece = 1; piece < 200; ++piece) {
      CAPTURE(piece);
      CHECK(read(text, 2, 1, true, piece).events == whole.events);
    }
  }

  TEST_CASE("programs that print what Cloud Build, docker or BuildKit would say") {
    const std::string docker =
        "Step 1/1 : RUN x\n ---> Running in 0123456789cd\nPUSH\nDONE\nStep #1: a\n#1 [x] y\nFinished Step "
        "#0\n"
        "Removing intermediate container 0123456789cd\n ---> 0123456789ef\nSuccessfully built 0123456789ef\n"
        "Successfully tagged t:1\n";
    const seen all = read("BUILD\n" + docker + push, 1, 0, true);
    CHECK(all.logged.find("PUSH\nDONE\nStep #1: a\n#1 [x] y\nFinished Step #0\n") == 0);
    CHECK_FALSE(all.failure.has_value());
  }

  TEST_CASE("a line without an end does not wait for ever") {
    const std::string dots(200'000, '.');
    const seen all =
        read("BUILD\nStep 1/1 : RUN x\n ---> Running in 0123456789cd\n" + dots + "\nafter\n", 1, 0, true);
    CHECK(all.logged.find(dots + "\nafter\n") == 0);
    std::string many = "BUILD\n";
    for (int i = 0; i < 30'000; ++i) many += "#" + std::to_string(i) + " x\n";
    CHECK_FALSE(read(many, 1, 0, true).failure.has_value());
  }
}

}  // namespace dockline::gcp
