#include "engine/container_requests.hpp"

#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::engine {

TEST_SUITE("engine/container_requests") {
  TEST_CASE("list, inspect, prune") {
    container_list_options options;
    CHECK(text(requests::container_list(options)) == bare("GET /v1.51/containers/json"));
    options.all = true;
    options.limit = 3;
    options.size = true;
    options.filters = {{"status", {"exited"}}};
    CHECK(text(requests::container_list(options)) ==
          bare("GET /v1.51/containers/"
               "json?all=1&filters=%7B%22status%22%3A%7B%22exited%22%3Atrue%7D%7D&limit=3&size=1"));
    CHECK(text(requests::container_inspect("web")) == bare("GET /v1.51/containers/web/json"));
    CHECK(text(requests::container_prune({})) == bare("POST /v1.51/containers/prune", "", true));
    CHECK(text(requests::container_prune({{"until", {"1h"}}})) ==
          bare("POST /v1.51/containers/prune?filters=%7B%22until%22%3A%7B%221h%22%3Atrue%7D%7D", "", true));
  }

  TEST_CASE("stats: a stream or one, with or without the sample before") {
    diagnostics why;
    stats_options options;
    CHECK(text(requests::container_stats("c1", options, newest, why)) ==
          bare("GET /v1.51/containers/c1/stats?stream=1"));
    CHECK(requests::container_stats("c1", options, newest, why)->silent);
    options.one_shot = true;
    CHECK(requests::container_stats("c1", options, newest, why).error() == errc::invalid_argument);
    options.stream = false;
    CHECK(text(requests::container_stats("c1", options, newest, why)) ==
          bare("GET /v1.51/containers/c1/stats?one-shot=1&stream=0"));
    CHECK(requests::container_stats("c1", options, {1, 40}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "a single sample of a container needs API 1.41, this daemon speaks 1.40");
  }

  TEST_CASE("exec: create, start, inspect") {
    diagnostics why;
    exec_options options;
    CHECK(requests::exec_create("c1", options, newest, why).error() == errc::invalid_argument);
    options.cmd = {"sh", "-c", "x \"y\""};
    CHECK(text(requests::exec_create("c1", options, {1, 24}, why)) ==
          with_json("POST /v1.51/containers/c1/exec",
                    R"({"AttachStdin":false,"AttachStdout":true,"AttachStderr":true,"Tty":false,)"
                    R"("Cmd":["sh","-c","x \"y\""],"Privileged":false})"));
    options.env = {"A=1"};
    CHECK(requests::exec_create("c1", options, {1, 24}, why).error() == errc::unsupported_parameter);
    options.working_dir = "/w";
    CHECK(requests::exec_create("c1", options, {1, 34}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the working directory of an exec needs API 1.35, this daemon speaks 1.34");
    options.user = "5:5";
    options.privileged = true;
    options.tty = true;
    options.in = true;
    options.err = false;
    CHECK(
        text(requests::exec_create("c1", options, newest, why)) ==
        with_json(
            "POST /v1.51/containers/c1/exec",
            R"({"AttachStdin":true,"AttachStdout":true,"AttachStderr":false,"Tty":true,)"
            R"("Cmd":["sh","-c","x \"y\""],"Env":["A=1"],"WorkingDir":"/w","User":"5:5","Privileged":true})"));

    CHECK(text(requests::exec_start("e1", true, false)) ==
          with_json("POST /v1.51/exec/e1/start", R"({"Detach":false,"Tty":true})",
                    "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
    CHECK(text(requests::exec_start("e1", false, true)) ==
          with_json("POST /v1.51/exec/e1/start", R"({"Detach":true,"Tty":false})"));
    CHECK(text(requests::exec_inspect("e1")) == bare("GET /v1.51/exec/e1/json"));
  }

  TEST_CASE("files: stat, get, put") {
    CHECK(text(requests::container_path_stat("c1", "/a b/c")) ==
          bare("HEAD /v1.51/containers/c1/archive?path=%2Fa+b%2Fc"));
    CHECK(text(requests::container_archive_get("c1", "/etc")) ==
          bare("GET /v1.51/containers/c1/archive?path=%2Fetc"));
    container_put_options options;
    const std::string type = "Content-Type: application/x-tar\r\n";
    CHECK(text(requests::container_archive_put("c1", "/", options)) ==
          bare("PUT /v1.51/containers/c1/archive?path=%2F", type, true));
    options.keep_types = true;
    options.keep_owners = true;
    CHECK(text(requests::container_archive_put("c1", "/", options)) ==
          bare("PUT /v1.51/containers/c1/archive?copyUIDGID=1&noOverwriteDirNonDir=1&path=%2F", type, true));
  }
}

}  // namespace dockline::engine
