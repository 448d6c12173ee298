// containerize with a bucket: a program becomes an image by way of the tests' Cloud Storage and Cloud Build.

#include "dockline/containerize/cloud_builder.hpp"

#include "dockline/containerize/containerize.hpp"

#include "exchange/gcp/cloud.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::test {
namespace {

using containerize::containerized_image;
using containerized_outcome = outcome<containerized_image>;

const std::string ordered_image = "gcr.io/dockline-test/program:1";
const std::string pushed_images =
    R"("results": {"images": [{"name": ")" + ordered_image + R"(", "digest": ")" + image_digest + R"("}]})";
// As Cloud Build writes it: a step of its own pulls the image whose layers are the cache, the next one is docker's.
const std::string log_to_first_step =
    R"("BUILD\nStarting Step #0\nStep #0: none\nFinished Step #0\nStarting Step #1\n",)"
    R"("Step #1: Sending build context to Docker daemon  4.096kB\nStep #1: Step 1/2 : FROM base:1\n")";
const std::string two_steps_log =
    log_to_first_step +
    R"(, "Step #1:  ---> 0123456789ab\nStep #1: Step 2/2 : WORKDIR /app/\nStep #1:  ---> Using cache\n",)"
    R"("Step #1:  ---> 0123456789ab\nStep #1: Successfully built 0123456789ab\nFinished Step #1\nPUSH\nDONE\n")";

class cloud_containerizing : public cloud {
 public:
  explicit cloud_containerizing(const google_server& server) : cloud(server) {
    tree.file("train.py", "print(1)\n");
    options.entry_point = "train.py";
    options.working_directory = tree.root();
    options.docker.image = ordered_image;
    options.docker.parent_image = "base:1";
    options.docker.image_build_bucket = "box";
    how.build.bucket = "box";
    how.build.where.region = "europe-west1";
    how.build.piece_size = granule;
    how.build.wait.first_pause = 10ms;
    how.build.wait.longest_pause = 50ms;
    how.registry_endpoint = server.base();
  }

  progress::event_sink sink() {
    return [this](const progress::event& what) {
      if (std::holds_alternative<progress::step_started>(what.body)) ++steps;
      if (const auto* sent = std::get_if<progress::context_progress>(&what.body)) complete |= sent->complete;
    };
  }

  auto begin_image() {
    return begin<containerized_image>([&](diagnostics& why, auto token) {
      containerize::async_containerize(containerize::make_cloud_builder(google, how), options,
                                       containerize::containerize_environment(), sink(), why,
                                       std::move(token));
    });
  }
  containerized_outcome make() { return end_of(begin_image()); }

  // The builder's own, which containerize would not ask for.
  containerized_outcome build(const containerize::image_order& order) {
    const auto builder = containerize::make_cloud_builder(google, how);
    return operation<containerized_image>([&](diagnostics& why, auto token) {
      builder->start_build(order, sink(), &why, completion_handler<containerized_image>(std::move(token)));
    });
  }

  // Cancels `seen` when the server was asked for that.
  void cancel_when(const google_server& server, std::string_view method, std::string_view path) {
    run_until_it([&] { return server.count(method, path) > 0; });
    CHECK(server.count(method, path) > 0);
    cancel.emit(asio::cancellation_type::terminal);
    run();
  }

  archive::scratch_tree tree;
  containerize::containerize_options options;
  containerize::cloud_builder_options how;
  int steps = 0;
  bool complete = false;
};

// All builds that the server knows, as it tells them.
std::string told_builds(const google_server& server) { return server.control("GET", "builds", {}); }
std::string objects_of(const google_server& server) {
  return server.control("GET", "buckets/box/objects", {});
}
bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// More than a piece however it is compressed.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 88172645463325252U;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

}  // namespace

TEST_SUITE("exchange/gcp/cloud builder") {
  TEST_CASE("a program becomes an image, by way of a bucket") {
    const google_server server({"--bucket", "box"});
    server.scripts("[{\"log\": [" + two_steps_log + "], " + pushed_images + "}]");
    cloud_containerizing there(server);
    const containerized_outcome seen = there.make();
    REQUIRE_MESSAGE(!seen.code, seen.words());
    CHECK(seen.value.image_uri == ordered_image);
    CHECK(seen.value.digest == image_digest);
    CHECK(seen.value.builder == "cloud-build");
    CHECK(seen.value.steps == 2);
    CHECK(seen.value.cached == 1);
    CHECK(seen.value.bytes_sent == static_cast<std::uint64_t>(server.sum("content")));
    CHECK(seen.value.bytes_sent > 0);
    CHECK(there.steps == 2);
    CHECK(there.complete);
    // What was ordered of Cloud Build: the image, and layers for those who name it as their cache.
    const std::string build = told_builds(server);
    CHECK(mentions(build, ordered_image));
    CHECK(mentions(build, "BUILDKIT_INLINE_CACHE=1"));
    CHECK(mentions(build, "context/sha256-"));
    // The image was named, and is its own cache.
    CHECK(mentions(build, "--cache-from"));
  }

  TEST_CASE("a context that the bucket has already is not sent again; one that changed is") {
    const google_server server({"--bucket", "box"});
    cloud_containerizing there(server);
    const auto make_again = [&] {
      server.forget_log();
      server.scripts("[{\"log\": [], " + pushed_images + "}]");
      const containerized_outcome seen = there.make();
      REQUIRE_MESSAGE(!seen.code, seen.words());
      return server.sum("content");
    };
    CHECK(make_again() > 0);
    CHECK(make_again() == 0);
    CHECK(server.count("POST", "/upload/") == 0);
    there.tree.file("train.py", "print(2)\n");
    CHECK(make_again() > 0);
  }

  TEST_CASE("without BuildKit there, and without a cache") {
    const google_server server({"--bucket", "box"});
    // No results: whose digest it is was not told.
    server.scripts(R"([{"log": []}, {"log": [], "results": {"images": [{"name": "gcr.io/else", "digest": ")" +
                   image_digest + R"("}]}}])");
    cloud_containerizing there(server);
    there.how.build.request.buildkit = false;
    containerize::image_order order;
    order.context.directory = there.tree.root();
    order.context.dockerfile = archive::dockerfile_source::from_text("FROM base:1\n");
    order.image = ordered_image;
    const containerized_outcome untold = there.build(order);
    REQUIRE_MESSAGE(!untold.code, untold.words());
    CHECK(untold.value.digest.empty());
    CHECK(!mentions(told_builds(server), "BUILDKIT_INLINE_CACHE"));
    CHECK(!mentions(told_builds(server), "--cache-from"));
    // One image by another name is the one.
    CHECK(there.build(order).value.digest == image_digest);
  }

  TEST_CASE("what is wrong with the order or the directory is said before anything is sent") {
    const google_server server({"--bucket", "box"});
    cloud_containerizing there(server);
    containerize::image_order order;
    order.context.directory = there.tree.root();
    order.context.dockerfile = archive::dockerfile_source::from_text("FROM base:1\n");
    order.image = ordered_image;
    order.push = false;
    const containerized_outcome kept = there.build(order);
    CHECK(kept.code == errc::invalid_argument);
    CHECK(kept.words() == "Cloud Build always pushes");
    order.push = true;
    order.context.directory = there.tree.path("nowhere");
    CHECK(there.build(order).code == errc::no_such_directory);
    there.tree.file(".dockerignore", "[\n");
    CHECK(there.make().code == errc::invalid_pattern);
    CHECK(server.count("GET", "/") + server.count("POST", "/") == 0);
  }

  TEST_CASE("a right that is missing, a build that is refused, a step that fails") {
    const google_server server({"--bucket", "box"});
    cloud_containerizing there(server);
    server.deny(R"([{"permission": "storage\\.objects\\.create"}])");
    containerized_outcome seen = there.make();
    CHECK(seen.code == condition::denied);
    CHECK_MESSAGE(mentions(seen.words(), "storage.objects.create"), seen.words());
    CHECK(!mentions(objects_of(server), ".tar.gz"));
    server.deny("[]");
    there.how.build.request.machine_type = "ENORMOUS";
    seen = there.make();
    CHECK(seen.code == condition::invalid_argument);
    CHECK_MESSAGE(mentions(seen.words(), "ENORMOUS"), seen.words());
    CHECK(!mentions(told_builds(server), "\"status\""));
    there.how.build.request.machine_type.clear();
    server.scripts(R"([{"log": ["x\n"], "status": "FAILURE", "statusDetail": "step 1 said no",
                        "failureInfo": {"type": "USER_BUILD_STEP", "detail": "step 1 said no"}}])");
    seen = there.make();
    CHECK(seen.code == condition::build_failed);
    CHECK_MESSAGE(mentions(seen.words(), "step 1 said no"), seen.words());
  }

  TEST_CASE("cancelled while the context is uploaded: the upload is taken back, nothing is built") {
    const google_server server({"--bucket", "box"});
    server.faults(R"({"method": "PUT", "path": "^/upload/", "nth": 2, "action": {"stall": 60}})");
    cloud_containerizing there(server);
    there.tree.file("data.bin", noise(4 * granule));
    const auto seen = there.begin_image();
    // A part of it is there already.
    there.cancel_when(server, "PUT", "/upload/");
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
    CHECK(server.count("DELETE", "/upload/") == 1);
    CHECK(server.control("GET", "sessions", {}) == "[]\n");
    CHECK(!mentions(objects_of(server), ".tar.gz"));
    CHECK(server.count("POST", "/builds") == 0);
    // And the same client makes it, when it is asked anew.
    server.no_faults();
    server.scripts("[{\"log\": [], " + pushed_images + "}]");
    const containerized_outcome again = there.make();
    CHECK_MESSAGE(!again.code, again.words());
  }

  TEST_CASE("cancelled while the image is built: the build is cancelled there") {
    const google_server server({"--bucket", "box"});
    server.scripts("[{\"log\": [" + log_to_first_step + ", 60]}]");
    cloud_containerizing there(server);
    const auto seen = there.begin_image();
    there.run_until_it([&] { return there.steps > 0; });
    REQUIRE(there.steps == 1);
    there.cancel.emit(asio::cancellation_type::terminal);
    there.run();
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
    CHECK(server.count("POST", ":cancel") == 1);
    CHECK(mentions(told_builds(server), R"("status": "CANCELLED")"));
    CHECK(!mentions(told_builds(server), R"("status": "WORKING")"));
    // What says what is in it stays: another build may be fetching it.
    CHECK(mentions(objects_of(server), "context/sha256-"));
  }
}

}  // namespace dockline::test
