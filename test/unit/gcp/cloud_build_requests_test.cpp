#include "gcp/cloud_build_requests.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::gcp {
namespace {

build_place place() {
  build_place where;
  where.project = "p1";
  return where;
}

build_request request() {
  build_request what;
  what.source_bucket = "b1";
  what.source_object = "o1.tar.gz";
  what.source_generation = "7";
  what.images.emplace_back("gcr.io/p1/app:1");
  return what;
}

std::string refused(const build_request& what) {
  diagnostics why;
  const auto checked = check(place(), what, why);
  return checked ? "fine" : why.client_message();
}

const std::string base = "https://cb.example";

}  // namespace

TEST_SUITE("gcp/cloud_build_requests") {
  TEST_CASE("the least that a build is") {
    CHECK(write_build(place(), request(), "t1") ==
          R"({"source":{"storageSource":{"bucket":"b1","object":"o1.tar.gz","generation":"7"}},)"
          R"("steps":[{"id":"build","name":"gcr.io/cloud-builders/docker",)"
          R"("args":["build","-t","gcr.io/p1/app:1","."],"env":["DOCKER_BUILDKIT=1"]}],)"
          R"("images":["gcr.io/p1/app:1"],"timeout":"3600s","queueTtl":"3600s","logsBucket":"gs://b1",)"
          R"("tags":["t1"],"options":{"logging":"GCS_ONLY","logStreamingOption":"STREAM_ON",)"
          R"("machineType":"E2_HIGHCPU_8"}})");
  }

  TEST_CASE("all that a build can be: what is meant literally is doubled, and nothing goes by a shell") {
    build_request what = request();
    what.source_generation.clear();
    what.images.emplace_back("gcr.io/p1/app:2");
    what.cache_from.emplace_back("gcr.io/p1/app:0");
    what.dockerfile = "sub dir/Dockerfile$";
    what.build_args = {{"A", "$HOME `x` $$"}, {"B", std::nullopt}, {"C", ""}};
    what.labels = {{"l", "${X}"}};
    what.target = "t";
    what.platform = "linux/amd64";
    what.network = "none";
    what.extra_hosts.emplace_back("h:1.2.3.4");
    what.no_cache = what.pull = true;
    what.docker_arguments = {"--memory", "1$"};
    what.disk_gb = 200;
    what.service_account = "builder@other.iam.gserviceaccount.com";
    what.logs_bucket = "gs://logs/dir";
    what.timeout = std::chrono::minutes(20);
    what.tags.emplace_back("mine");
    what.substitutions = {{"_K", "v"}};
    CHECK(
        write_build(place(), what, "t1") ==
        R"({"source":{"storageSource":{"bucket":"b1","object":"o1.tar.gz"}},)"
        R"("steps":[{"id":"cache-0","name":"gcr.io/cloud-builders/docker","args":["pull","gcr.io/p1/app:0"],)"
        R"("allowFailure":true},{"id":"build","name":"gcr.io/cloud-builders/docker","args":["build",)"
        R"("--network","none","-t","gcr.io/p1/app:1","-t","gcr.io/p1/app:2","--cache-from","gcr.io/p1/app:0",)"
        R"("--build-arg","BUILDKIT_INLINE_CACHE=1","--build-arg","A=$$HOME `x` $$$$","--build-arg","B",)"
        R"("--build-arg","C=","--label","l=$${X}","-f","sub dir/Dockerfile$$","--target","t",)"
        R"("--platform","linux/amd64","--add-host","h:1.2.3.4","--no-cache","--pull","--memory","1$$","."],)"
        R"("env":["DOCKER_BUILDKIT=1"]}],"images":["gcr.io/p1/app:1","gcr.io/p1/app:2"],)"
        R"("timeout":"1200s","queueTtl":"3600s","logsBucket":"gs://logs/dir","tags":["mine","t1"],)"
        R"("substitutions":{"_K":"v"},)"
        R"("serviceAccount":"projects/other/serviceAccounts/builder@other.iam.gserviceaccount.com",)"
        R"("options":{"logging":"GCS_ONLY","logStreamingOption":"STREAM_ON","machineType":"E2_HIGHCPU_8",)"
        R"("diskSizeGb":"200","substitutionOption":"ALLOW_LOOSE"}})");
  }

  TEST_CASE("the classic builder, a private pool, the default account of a project") {
    build_request what = request();
    what.buildkit = false;
    what.cache_from.emplace_back("c");
    what.private_pool = "projects/p1/locations/r/workerPools/w";
    what.service_account = "77-compute@developer.gserviceaccount.com";
    const std::string json = write_build(place(), what, "t1");
    CHECK(json.find(R"("env":["DOCKER_BUILDKIT=0"])") != std::string::npos);
    CHECK(json.find(R"("args":["build","--network","cloudbuild","-t",)") != std::string::npos);
    CHECK(json.find("INLINE_CACHE") == std::string::npos);
    CHECK(json.find(R"("pool":{"name":"projects/p1/locations/r/workerPools/w"})") != std::string::npos);
    CHECK(json.find("machineType") == std::string::npos);
    CHECK(json.find(R"("projects/p1/serviceAccounts/77-compute@developer.gserviceaccount.com")") !=
          std::string::npos);
  }

  TEST_CASE("what is wrong is found here") {
    CHECK(refused(request()) == "fine");
    build_request what = request();
    what.images.clear();
    CHECK(refused(what) == "a build in the cloud needs a name for its image");
    what = request();
    what.private_pool = "projects/p1/locations/europe-west1/workerPools/w";
    CHECK(refused(what) == "fine");
    what.machine_type = "E2_MEDIUM";
    CHECK(refused(what) ==
          "machine type \"E2_MEDIUM\": the private pool projects/p1/locations/europe-west1/workerPools/w has "
          "machines of its own");
    what = request();
    what.private_pool = "w";
    CHECK(refused(what) == "private pool \"w\": written projects/PROJECT/locations/REGION/workerPools/NAME");
    what = request();
    what.network = "cloudbuild";
    CHECK(refused(what) == "BuildKit has the networks default, none and host, not cloudbuild");
    what.buildkit = false;
    CHECK(refused(what) == "fine");
    for (const char* bad : {"", "-t", "a b", "a$b", "a;b", "a\nb"}) {
      what = request();
      what.cache_from.emplace_back(bad);
      CHECK(refused(what).ends_with("not a reference of an image"));
    }
    what = request();
    what.tags.emplace_back("a b");
    CHECK(refused(what).starts_with("build tag \"a b\""));
    what = request();
    what.substitutions["X"] = "";
    CHECK(refused(what).starts_with("substitution \"X\""));
    what = request();
    what.disk_gb = 4001;
    CHECK(refused(what) == "the disk of a build has at most 4000 GB");
    what = request();
    what.timeout = std::chrono::hours(25);
    CHECK(refused(what).starts_with("the times of a build"));
    what = request();
    what.logs_bucket = "b";
    CHECK(refused(what).starts_with("logs bucket \"b\""));
    diagnostics why;
    build_place where = place();
    where.project = "a/b";
    CHECK(check(where, request(), why).error() == errc::invalid_argument);
    where = place();
    where.region = "eu west";
    CHECK(check(where, request(), why).error() == errc::invalid_argument);
    where.region = "us-east1";
    what = request();
    what.private_pool = "projects/p1/locations/europe-west1/workerPools/w";
    CHECK(check(where, what, why).error() == errc::invalid_argument);
    CHECK(why.client_message() ==
          "region \"us-east1\": the private pool projects/p1/locations/europe-west1/workerPools/w is in "
          "europe-west1, and its builds run there; leave the region out");
    where.region = "europe-west1";
    CHECK(check(where, what, why));
  }

  TEST_CASE("the region of a private pool") {
    CHECK(region_of_pool("projects/p1/locations/europe-west1/workerPools/w") == "europe-west1");
    for (const char* other :
         {"", "w", "projects/p1/locations/r/workerPools", "projects/p1/locations/r/workerPools/",
          "projects/p1/locations/r/workerPools/w/x", "projects/p1/locations//workerPools/w",
          "projects/p1/zones/r/workerPools/w", "projects/p1/locations/r r/workerPools/w"}) {
      CAPTURE(other);
      CHECK(region_of_pool(other).empty());
    }
  }

  TEST_CASE("urls") {
    build_place where = place();
    CHECK(create_build(base, where, request(), "t").url ==
          "https://cb.example/v1/projects/p1/locations/global/builds");
    where.region = "europe-west1";
    CHECK(get_build(base, where, "i1").url ==
          "https://cb.example/v1/projects/p1/locations/europe-west1/builds/i1");
    CHECK(cancel_build(base, where, "i1").method == "POST");
    CHECK(cancel_build(base, where, "i1").url ==
          "https://cb.example/v1/projects/p1/locations/europe-west1/builds/i1:cancel");
    CHECK(cancel_build(base, where, "i1").body == "{}");
    CHECK(retry_build(base, where, "i1").url.ends_with("/i1:retry"));
    CHECK(list_builds(base, place(), filter_of_tag("t1"), 2, "n1").url ==
          "https://cb.example/v1/projects/p1/locations/global/"
          "builds?pageSize=2&filter=tags%3D%22t1%22&pageToken=n1");
    CHECK(create_build(base, place(), request(), "t").permission ==
          "cloudbuild.builds.create in the project p1 (roles/cloudbuild.builds.editor)");
  }

  TEST_CASE("a build as it is told") {
    diagnostics why;
    const auto build = read_build(
        R"({"id":"i1","name":"projects/7/locations/europe-west1/builds/i1","projectId":"p1","status":"FAILURE",)"
        R"("statusDetail":"sd","logUrl":"https://l","logsBucket":"gs://b1/dir/","createTime":"c","startTime":"s",)"
        R"("finishTime":"f","failureInfo":{"type":"USER_BUILD_STEP","detail":"d"},"warnings":[{"text":"w"}],)"
        R"("results":{"images":[{"name":"n","digest":"sha256:1"}]},"tags":["t"],)"
        R"("steps":[{"id":"cache-0","name":"x","status":"FAILURE","exitCode":1,"allowFailure":true},)"
        R"({"id":"build","name":"x","status":"FAILURE","exitCode":3}]})",
        why);
    REQUIRE(build.has_value());
    CHECK(build->region == "europe-west1");
    CHECK(build->status == build_status::failure);
    CHECK(build->failure_type == "USER_BUILD_STEP");
    CHECK(build->warnings == std::vector<std::string>{"w"});
    CHECK(build->images.at(0).digest == "sha256:1");
    CHECK(build->exit_code == 3);
    CHECK(docker_step_of(*build) == 1);
    CHECK(log_of(*build).bucket == "b1");
    CHECK(log_of(*build).object == "dir/log-i1.txt");

    for (const auto& [name, status] :
         {std::pair("PENDING", build_status::pending), std::pair("QUEUED", build_status::queued),
          std::pair("WORKING", build_status::working), std::pair("SUCCESS", build_status::success),
          std::pair("INTERNAL_ERROR", build_status::internal_error),
          std::pair("TIMEOUT", build_status::timeout), std::pair("CANCELLED", build_status::cancelled),
          std::pair("EXPIRED", build_status::expired), std::pair("SOMETHING_NEW", build_status::unknown)}) {
      const auto one = read_build(R"({"id":"i","status":")" + std::string(name) + "\"}", why);
      CHECK(one->status == status);
      CHECK(one->status_text == name);
    }
    for (const auto status :
         {build_status::unknown, build_status::pending, build_status::queued, build_status::working})
      CHECK_FALSE(is_final(status));
    for (const auto status : {build_status::success, build_status::failure, build_status::internal_error,
                              build_status::timeout, build_status::cancelled, build_status::expired})
      CHECK(is_final(status));
    for (const char* none : {"", "[]", "{}", R"({"id":5})"})
      CHECK(read_build(std::string_view(none), why).error() == errc::unexpected_answer);
  }

  TEST_CASE("operations and pages") {
    diagnostics why;
    CHECK(read_operation(R"({"name":"o","metadata":{"build":{"id":"i1","status":"QUEUED"}}})", why)->id ==
          "i1");
    CHECK(read_operation(R"({"done":true,"response":{"id":"i2"}})", why)->id == "i2");
    CHECK(read_operation(R"({"name":"o"})", why).error() == errc::unexpected_answer);
    const auto page = read_build_page(R"({"builds":[{"id":"a"},{"id":"b"}],"nextPageToken":"n"})", why);
    CHECK(page->builds.size() == 2);
    CHECK(page->next == "n");
    CHECK(read_build_page("{}", why)->builds.empty());
    CHECK(read_build_page("", why).error() == errc::unexpected_answer);
    build_record no_log;
    no_log.id = "i";
    CHECK(log_of(no_log).bucket.empty());
    no_log.logs_bucket = "gs://7.cloudbuild-logs.example";
    CHECK(log_of(no_log).object == "log-i.txt");
    no_log.logs_bucket = "gs:///folder";
    CHECK(log_of(no_log).object.empty());
  }
}

}  // namespace dockline::gcp
