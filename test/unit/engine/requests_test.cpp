#include "engine/requests.hpp"

#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {
namespace {

// A build that streams its context: what differs is the query.
std::string build_text(std::string_view parameters) {
  std::string text = bare("POST /v1.51/build?" + std::string(parameters),
                          "X-Registry-Config: e30=\r\nContent-Type: application/x-tar\r\n");
  return text.replace(text.size() - 2, 2, "Transfer-Encoding: chunked\r\n\r\n");
}

std::string build_request(const build_options& options, api_version version = newest) {
  diagnostics why;
  const auto what = requests::build(options, version, why);
  return what ? request_text(*what, version, options.remote.empty()) : "refused: " + why.client_message();
}

std::string create_request(const container_options& options, api_version version = newest) {
  diagnostics why;
  const auto what = requests::container_create(options, version, why);
  return what ? request_text(*what, version) : "refused: " + why.client_message();
}

}  // namespace

TEST_SUITE("engine/requests") {
  TEST_CASE("what has no body: method, path and query of each endpoint") {
    const api_version version{1, 41};
    const auto text = [&](const endpoint& what) { return request_text(what, version); };

    CHECK(text(requests::container_start("c1")) == bare("POST /v1.41/containers/c1/start", "", true));
    CHECK(text(requests::container_wait("c1")) == bare("POST /v1.41/containers/c1/wait", "", true));

    diagnostics why;
    logs_options logs;
    CHECK(text(*requests::container_logs("c1", logs, version, why)) ==
          bare("GET /v1.41/containers/c1/logs?stderr=1&stdout=1"));
    logs.err = false;
    logs.follow = true;
    logs.timestamps = true;
    logs.tail = "10";
    CHECK(text(*requests::container_logs("c1", logs, version, why)) ==
          bare("GET /v1.41/containers/c1/logs?follow=1&stdout=1&tail=10&timestamps=1"));
    logs.tail.clear();
    logs.since = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'250));
    logs.until = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'001));
    CHECK(text(*requests::container_logs("c1", logs, version, why)) ==
          bare("GET /v1.41/containers/c1/logs?follow=1&since=1700000000&stdout=1&timestamps=1&"
               "until=1700000001"));
    CHECK(requests::container_logs("c1", logs, {1, 34}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the end of a log needs API 1.35, this daemon speaks 1.34");

    attach_options attach;
    CHECK(text(requests::container_attach("c1", attach)) ==
          bare("POST /v1.41/containers/c1/attach?stderr=1&stdout=1&stream=1",
               "Connection: Upgrade\r\nUpgrade: tcp\r\n", true));
    attach.in = true;
    attach.err = false;
    CHECK(text(requests::container_attach("c1", attach)) ==
          bare("POST /v1.41/containers/c1/attach?stdin=1&stdout=1&stream=1",
               "Connection: Upgrade\r\nUpgrade: tcp\r\n", true));

    CHECK(text(requests::container_kill("c1", "")) == bare("POST /v1.41/containers/c1/kill", "", true));
    CHECK(text(requests::container_kill("c1", "SIGINT")) ==
          bare("POST /v1.41/containers/c1/kill?signal=SIGINT", "", true));

    remove_options removal;
    CHECK(text(requests::container_remove("c1", removal)) == bare("DELETE /v1.41/containers/c1"));
    removal.force = true;
    removal.volumes = true;
    CHECK(text(requests::container_remove("c1", removal)) == bare("DELETE /v1.41/containers/c1?force=1&v=1"));
  }

  TEST_CASE("an endpoint without a version has none in its target") {
    endpoint ping("GET", "/_ping");
    ping.versioned = false;
    CHECK(request_text(ping, {1, 24}) == bare("GET /_ping"));
  }

  TEST_CASE("a name from outside cannot leave its place in the request") {
    const api_version version{1, 41};
    CHECK(request_text(requests::container_start("a/../b?x=1#y z\r\n"), version) ==
          bare("POST /v1.41/containers/a/../b%3Fx=1%23y%20z%0D%0A/start", "", true));
    CHECK(request_text(requests::container_kill("c", "K&x=1 +\n"), version) ==
          bare("POST /v1.41/containers/c/kill?signal=K%26x%3D1+%2B%0A", "", true));
  }

  TEST_CASE("what may be silent for as long as it likes has no deadline") {
    diagnostics why;
    CHECK(requests::build({}, newest, why)->silent);
    CHECK(requests::container_wait("c").silent);
    logs_options logs;
    CHECK_FALSE(requests::container_logs("c", logs, newest, why)->silent);
    logs.follow = true;
    CHECK(requests::container_logs("c", logs, newest, why)->silent);
    CHECK_FALSE(requests::container_start("c").silent);
  }

  TEST_CASE("build: each parameter by itself, as Go's url.Values writes it") {
    struct row {
      std::string_view query;  // what stands before "version=1", in Go's order
      void (*set)(build_options&);
    };
    const row rows[] = {
        {"dockerfile=sub+dir%2FDockerfile&forcerm=1&",
         [](build_options& o) { o.dockerfile = "sub dir/Dockerfile"; }},
        {"forcerm=1&t=a%3A1&t=b%2Fc%3A2&",
         [](build_options& o) {
           o.tags = {"a:1", "b/c:2"};
         }},
        {"buildargs=%7B%22A%22%3A%221%22%2C%22UNSETX%22%3Anull%7D&forcerm=1&",
         [](build_options& o) {
           o.build_args = {{"A", "1"}, {"UNSETX", std::nullopt}};
         }},
        {"buildargs=%7B%22E%22%3A%22%22%2C%22Q%22%3A%22%5C%22%5C%5C%26%3C%2B%C3%A4%22%7D&forcerm=1&",
         [](build_options& o) {
           o.build_args = {{"E", ""}, {"Q", "\"\\&<+\xc3\xa4"}};
         }},
        {"forcerm=1&labels=%7B%22a.b%22%3A%22c+d%22%2C%22z%22%3A%22%22%7D&",
         [](build_options& o) {
           o.labels = {{"z", ""}, {"a.b", "c d"}};
         }},
        {"forcerm=1&target=final&", [](build_options& o) { o.target = "final"; }},
        {"forcerm=1&platform=linux%2Famd64&", [](build_options& o) { o.platform = "linux/amd64"; }},
        {"cachefrom=%5B%22x%3A1%22%2C%22y%3A2%22%5D&forcerm=1&",
         [](build_options& o) {
           o.cache_from = {"x:1", "y:2"};
         }},
        {"forcerm=1&nocache=1&", [](build_options& o) { o.no_cache = true; }},
        {"forcerm=1&pull=1&", [](build_options& o) { o.pull = true; }},
        {"forcerm=1&rm=0&", [](build_options& o) { o.remove_intermediate = false; }},
        {"", [](build_options& o) { o.force_remove = false; }},
        {"forcerm=1&squash=1&", [](build_options& o) { o.squash = true; }},
        {"forcerm=1&q=1&", [](build_options& o) { o.quiet = true; }},
        {"forcerm=1&networkmode=container%3Aabc&",
         [](build_options& o) { o.network_mode = "container:abc"; }},
        {"extrahosts=h%3A1.2.3.4&extrahosts=g%3Ahost-gateway&extrahosts=six%3A%3A%3A1&forcerm=1&",
         [](build_options& o) {
           o.extra_hosts = {"h:1.2.3.4", "g:host-gateway", "six:::1"};
         }},
        {"forcerm=1&memory=4294967296&", [](build_options& o) { o.memory = std::int64_t{4} << 30; }},
        {"forcerm=1&memswap=-1&", [](build_options& o) { o.memory_swap = -1; }},
        {"cpushares=512&forcerm=1&", [](build_options& o) { o.cpu_shares = 512; }},
        {"cpuperiod=100000&forcerm=1&", [](build_options& o) { o.cpu_period = 100000; }},
        {"cpuquota=-1&forcerm=1&", [](build_options& o) { o.cpu_quota = -1; }},
        {"cpusetcpus=0-2%2C5&forcerm=1&", [](build_options& o) { o.cpuset_cpus = "0-2,5"; }},
        {"cpusetmems=0&forcerm=1&", [](build_options& o) { o.cpuset_mems = "0"; }},
        {"cgroupparent=%2Fci&forcerm=1&", [](build_options& o) { o.cgroup_parent = "/ci"; }},
        {"forcerm=1&shmsize=67108864&", [](build_options& o) { o.shm_size = 64 << 20; }},
        {"forcerm=1&ulimits=%5B%7B%22Name%22%3A%22nofile%22%2C%22Hard%22%3A20%2C%22Soft%22%3A10%7D%5D&",
         [](build_options& o) { o.ulimits.emplace_back("nofile", 10, 20); }},
        {"forcerm=1&isolation=hyperv&", [](build_options& o) { o.isolation = "hyperv"; }},
        {"forcerm=1&securityopt=%5B%22credentialspec%3Dfile%22%5D&",
         [](build_options& o) { o.security_opt = {"credentialspec=file"}; }},
        {"forcerm=1&outputs=%5B%7B%22Type%22%3A%22local%22%7D%5D&",
         [](build_options& o) { o.outputs = R"([{"Type":"local"}])"; }},
        {"buildid=b1&forcerm=1&", [](build_options& o) { o.build_id = "b1"; }},
        {"forcerm=1&", [](build_options&) {}},
    };
    for (const auto& one : rows) {
      build_options options;
      one.set(options);
      CHECK(build_request(options) == build_text(std::string(one.query) + "version=1"));
    }
  }

  TEST_CASE("build: a remote context has no body and no type of one") {
    build_options options;
    options.remote = "https://host/repo.git#main:sub";
    options.dockerfile = "D";
    CHECK(build_request(options) ==
          bare("POST /v1.51/build?dockerfile=D&forcerm=1&remote=https%3A%2F%2Fhost%2Frepo.git%23main%3Asub&"
               "version=1",
               "X-Registry-Config: e30=\r\n", true));
  }

  TEST_CASE("build: everything at once is sorted by key, repeated keys in the caller's order") {
    build_options options;
    options.tags = {"b", "a"};
    options.quiet = true;
    options.pull = true;
    options.no_cache = true;
    options.cpu_shares = 2;
    options.cpu_period = 3;
    options.build_args = {{"X", "1"}};
    options.dockerfile = "D";
    options.target = "t";
    CHECK(build_request(options, {1, 24})
              .starts_with(
                  "POST "
                  "/v1.24/"
                  "build?buildargs=%7B%22X%22%3A%221%22%7D&cpuperiod=3&cpushares=2&dockerfile=D&forcerm=1&"
                  "nocache=1&pull=1&q=1&t=b&t=a&target=t&version=1 HTTP/1.1\r\n"));
  }

  TEST_CASE("build: what breaks a rule is refused, and named") {
    struct row {
      errc code;
      std::string_view words;
      void (*set)(build_options&);
    };
    const row rows[] = {
        {errc::invalid_reference, "image reference \"App\": a repository name is lower case",
         [](build_options& o) {
           o.tags = {"good", "App"};
         }},
        {errc::invalid_reference, "image reference \"\": it is empty",
         [](build_options& o) { o.tags = {""}; }},
        {errc::invalid_argument, "a digest cannot be given to an image",
         [](build_options& o) { o.tags = {"a@sha256:" + std::string(64, 'a')}; }},
        {errc::invalid_argument, "build argument: the name before the '=' is empty",
         [](build_options& o) {
           o.build_args = {{"", "x"}};
         }},
        {errc::invalid_argument, "build argument \"a=b\": a name holds no '='",
         [](build_options& o) {
           o.build_args = {{"a=b", "x"}};
         }},
        {errc::invalid_argument, "label: the name before the '=' is empty",
         [](build_options& o) {
           o.labels = {{"", "x"}};
         }},
        {errc::invalid_argument, "extra host \"h\": written NAME:ADDRESS",
         [](build_options& o) { o.extra_hosts = {"h"}; }},
        {errc::invalid_argument, "extra host \":1.2.3.4\": written NAME:ADDRESS",
         [](build_options& o) { o.extra_hosts = {":1.2.3.4"}; }},
        {errc::invalid_argument, "extra host \"h:\": written NAME:ADDRESS",
         [](build_options& o) { o.extra_hosts = {"h:"}; }},
        {errc::invalid_argument, "ulimit \"files\": no such limit",
         [](build_options& o) { o.ulimits.emplace_back("files", 1, 2); }},
        {errc::invalid_argument, "ulimit \"nofile\": the soft limit is above the hard one",
         [](build_options& o) { o.ulimits.emplace_back("nofile", 3, 2); }},
        {errc::invalid_argument, "ulimit \"core\": the soft limit is above the hard one",
         [](build_options& o) { o.ulimits.emplace_back("core", -1, 2); }},
        {errc::invalid_argument, "platform \"linux/amd64,linux/arm64\": a daemon builds for one platform",
         [](build_options& o) { o.platform = "linux/amd64,linux/arm64"; }},
        {errc::invalid_argument, "the size of /dev/shm is negative",
         [](build_options& o) { o.shm_size = -1; }},
        {errc::invalid_argument, "the memory limit is negative", [](build_options& o) { o.memory = -1; }},
        {errc::invalid_argument, "the limit of memory and swap is negative, and not -1",
         [](build_options& o) { o.memory_swap = -2; }},
    };
    for (const auto& one : rows) {
      build_options options;
      one.set(options);
      diagnostics why;
      const auto checked = requests::check(options, why);
      REQUIRE_MESSAGE(checked.has_error(), one.words);
      CHECK(checked.error() == one.code);
      CHECK(checked.error() == condition::invalid_argument);
      CHECK_MESSAGE(why.client_message().find(one.words) != std::string::npos, why.client_message());
    }
  }

  TEST_CASE("build: credentials go by registry, and into no other field") {
    build_options options;
    options.registry_auths["127.0.0.1:5001"] = {"test", "test"};
    options.registry_auths["docker.io"].identity_token = "t";
    options.registry_auths["anonymous"];
    // {"127.0.0.1:5001":{"username":"test","password":"test"},
    //  "https://index.docker.io/v1/":{"identitytoken":"t"}}
    CHECK(build_request(options) ==
          "POST /v1.51/build?forcerm=1&version=1 HTTP/1.1\r\nUser-Agent: dockline/test\r\n"
          "X-Registry-Config: eyIxMjcuMC4wLjE6NTAwMSI6eyJ1c2VybmFtZSI6InRlc3QiLCJwYXNzd29yZCI6InRlc3Qi"
          "fSwiaHR0cHM6Ly9pbmRleC5kb2NrZXIuaW8vdjEvIjp7ImlkZW50aXR5dG9rZW4iOiJ0In19\r\n"
          "Content-Type: application/x-tar\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n");
  }

  TEST_CASE("build: limits that are unlimited, or equal, are no mistake") {
    build_options options;
    options.ulimits.emplace_back("nofile", -1, -1);
    options.ulimits.emplace_back("nproc", 5, -1);
    options.ulimits.emplace_back("core", 0, 0);
    options.memory_swap = -1;
    diagnostics why;
    CHECK(requests::check(options, why).has_value());
    CHECK(why.empty());
  }

  TEST_CASE("build: a parameter that the version lacks is an error that names both versions") {
    struct row {
      api_version before, since;
      std::string_view words;
      void (*set)(build_options&);
    };
    const row rows[] = {
        {{1, 31},
         {1, 32},
         "the platform of a build needs API 1.32, this daemon speaks 1.31",
         [](build_options& o) { o.platform = "linux/amd64"; }},
        {{1, 39},
         {1, 40},
         "the output of a build needs API 1.40, this daemon speaks 1.39",
         [](build_options& o) { o.outputs = "[]"; }},
        {{1, 38},
         {1, 39},
         "the id of a build needs API 1.39, this daemon speaks 1.38",
         [](build_options& o) { o.build_id = "x"; }},
    };
    for (const auto& one : rows) {
      build_options options;
      one.set(options);
      diagnostics why;
      const auto refused = requests::build(options, one.before, why);
      REQUIRE(refused.has_error());
      CHECK(refused.error() == errc::unsupported_parameter);
      CHECK(refused.error() == condition::unsupported);
      CHECK(why.client_message() == one.words);
      diagnostics unused;
      CHECK(requests::build(options, one.since, unused).has_value());
      CHECK(unused.empty());
    }
  }

  TEST_CASE("container create: the body from the options") {
    const auto text = [](std::string_view query, const std::string& body) {
      return "POST /v1.51/containers/create" + std::string(query) +
             " HTTP/1.1\r\nUser-Agent: dockline/test\r\nContent-Type: application/json\r\nHost: docker\r\n"
             "Content-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    container_options plain;
    plain.image = "app:1";
    CHECK(create_request(plain) ==
          text("", R"({"Image":"app:1","Tty":false,"AttachStdout":true,"AttachStderr":true,)"
                   R"("AttachStdin":false,"OpenStdin":false,"StdinOnce":false,)"
                   R"("HostConfig":{"AutoRemove":false}})"));

    container_options full;
    full.image = "app";
    full.name = "my name";
    full.platform = "linux/arm64";
    full.cmd = {"a", "b c"};
    full.entrypoint = {{"/e", "-x"}};
    full.env = {"A=1", "B"};
    full.labels = {{"k", "v"}};
    full.working_dir = "/w";
    full.user = "1:2";
    full.tty = true;
    full.open_stdin = true;
    full.auto_remove = true;
    full.binds = {"/h:/c:ro"};
    full.network_mode = "none";
    for (const auto& [port, ip, host] :
         {std::tuple{"80/tcp", "", "8080"}, {"53/udp", "127.0.0.1", ""}, {"80/tcp", "::1", "81"}}) {
      port_binding binding;
      binding.container_port = port;
      binding.host_ip = ip;
      binding.host_port = host;
      full.ports.push_back(binding);
    }
    CHECK(create_request(full) ==
          text("?name=my+name&platform=linux%2Farm64",
               R"({"Image":"app","Cmd":["a","b c"],"Entrypoint":["/e","-x"],"Env":["A=1","B"],)"
               R"("Labels":{"k":"v"},"WorkingDir":"/w","User":"1:2","Tty":true,"AttachStdout":true,)"
               R"("AttachStderr":true,"AttachStdin":true,"OpenStdin":true,"StdinOnce":true,)"
               R"("ExposedPorts":{"53/udp":{},"80/tcp":{}},)"
               R"("HostConfig":{"AutoRemove":true,"Binds":["/h:/c:ro"],"NetworkMode":"none",)"
               R"("PortBindings":{"53/udp":[{"HostIp":"127.0.0.1","HostPort":""}],)"
               R"("80/tcp":[{"HostIp":"","HostPort":"8080"},{"HostIp":"::1","HostPort":"81"}]}}})"));
  }

  TEST_CASE("container create: no entry point at all is an empty word, the image's is nothing") {
    container_options options;
    options.image = "app";
    CHECK(create_request(options).find("Entrypoint") == std::string::npos);
    options.entrypoint.emplace();
    CHECK(create_request(options).find(R"("Entrypoint":[""])") != std::string::npos);
  }

  TEST_CASE("container create: the platform needs API 1.41") {
    container_options options;
    options.image = "app";
    options.platform = "linux/amd64";
    CHECK(create_request(options, {1, 40}) ==
          "refused: the platform of a container needs API 1.41, this daemon speaks 1.40");
    CHECK(create_request(options, {1, 41}).starts_with("POST /v1.41/"));
  }
}

}  // namespace dockline::engine
