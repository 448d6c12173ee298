#include "doctor_checks.hpp"
#include "doctor_report.hpp"
#include "exchange_lines.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace dockline::tool {
namespace {

using archive::scratch_tree;

std::string text_of(const findings& found) { return report_text({found}); }

bool says(const findings& found, std::string_view words) {
  return text_of(found).find(words) != std::string::npos;
}

findings choice(const engine::daemon_sources& sources, const engine::client_options& chosen,
                engine::daemon_origin origin = engine::daemon_origin::docker_host) {
  engine::daemon_naming naming;
  naming.origin = origin;
  findings daemon("daemon", "Daemon");
  check_choice(sources, chosen, naming, daemon);
  return daemon;
}

findings failure(error_code code, const std::string& host, bool tls = false) {
  engine::client_options chosen;
  chosen.host = host;
  chosen.tls.enabled = tls;
  diagnostics why;
  why.set_client_message("the reason");
  findings daemon("daemon", "Daemon");
  check_failure(code, why, chosen, daemon);
  REQUIRE(daemon.problems.size() == 1);
  CHECK(daemon.problems[0].fatal);
  CHECK(daemon.problems[0].what == "the reason");
  return daemon;
}

struct daemon_answers {
  daemon_answers() {
    pong.negotiated_version = "1.41";
    version.version = "20.10.24";
    version.api_version = "1.41";
    version.os = "linux";
    version.arch = "amd64";
    info.os_type = "linux";
    info.storage_driver = "overlay2";
    info.root_dir = "/var/lib/docker";
  }

  findings check(std::optional<std::uintmax_t> free = std::nullopt) const {
    findings daemon("daemon", "Daemon");
    check_daemon(pong, version, info, free, daemon);
    return daemon;
  }

  engine::ping_result pong;
  engine::version_result version;
  engine::system_info info;
};

findings credentials(const scratch_tree& tree, const std::string& path = "/nowhere") {
  findings found("credentials", "Credentials");
  check_credentials(tree.root(), path, found);
  return found;
}

}  // namespace

TEST_SUITE("tools/doctor") {
  TEST_CASE("the report: facts, then what is wrong, the worst first") {
    findings one("one", "One thing");
    one.add("a", "First", "text")
        .add("b", "Second", true)
        .add("c", "Third", std::vector<std::string>{"x", "y"});
    one.add("d", "Unknown", "");
    one.warn("it is slow", "make it fast");
    findings two("two", "Another");
    two.fail("it is \x1b[31mbroken", "");
    CHECK(report_text({one, two}) ==
          "One thing\n"
          "  First:             text\n"
          "  Second:            yes\n"
          "  Third:             x, y\n"
          "\n"
          "Another\n"
          "\n"
          "Problems\n"
          "  error: it is broken\n"
          "  warning: it is slow\n"
          "    cure: make it fast\n");
    CHECK(report_json({one, two}) ==
          R"({"usable":false,"one":{"a":"text","b":true,"c":["x","y"],"d":null},"two":{},)"
          R"("problems":[{"subject":"one","severity":"warning","what":"it is slow","cure":"make it fast"},)"
          R"({"subject":"two","severity":"error","what":"it is \u001B[31mbroken","cure":null}]})"
          "\n");
    CHECK(is_usable({one}));
    CHECK_FALSE(is_usable({one, two}));
    CHECK(report_text({}) == "No problems found.\n");
  }

  TEST_CASE("which daemon, and what is wrong with the choice") {
    engine::daemon_sources sources;
    engine::client_options chosen;
    chosen.host = "unix:///s";
    CHECK(choice(sources, chosen).problems.empty());
    CHECK(says(choice(sources, chosen), "Chosen by:         DOCKER_HOST\n"));
    CHECK(says(choice(sources, chosen, engine::daemon_origin::current_context), "currentContext"));

    sources.docker_tls_verify = true;
    CHECK(says(choice(sources, chosen), "DOCKER_TLS_VERIFY is set, which does not count for unix:///s"));
    chosen.host = "tcp://build.example:2376";
    CHECK(says(choice(sources, chosen), "without TLS"));
    chosen.host = "tcp://127.0.0.1:2375";
    CHECK(choice(sources, chosen).problems.empty());
    chosen.tls.enabled = true;
    chosen.tls.verify = false;
    CHECK(says(choice(sources, chosen), "not verified"));
    chosen.tls.verify = true;
    CHECK(choice(sources, chosen).problems.empty());

    sources.docker_host = chosen.host;
    sources.docker_context = "far";
    CHECK(says(choice(sources, chosen), "DOCKER_CONTEXT does not count"));
    CHECK(choice(sources, chosen, engine::daemon_origin::host_option).problems.empty());
  }

  TEST_CASE("why nothing answered, with the cure for it") {
    CHECK(says(failure(errc::cannot_connect, "unix:///s"), "systemctl start docker"));
    CHECK(says(failure(errc::no_permission, "unix:///s"), "usermod -aG docker"));
    CHECK(says(failure(errc::cannot_connect, "tcp://h:1"), "firewall"));
    CHECK(says(failure(errc::cannot_connect, "ssh://me@h"), "ssh me@h docker version"));
    CHECK(says(failure(errc::malformed_http, "tcp://h:2376"), "--tlsverify"));
    CHECK_FALSE(says(failure(errc::malformed_http, "tcp://h:2376", true), "--tlsverify"));
    CHECK(says(failure(errc::tls_failed, "tcp://h:2376", true), "--tlscacert"));
    CHECK(says(failure(errc::invalid_address, "h"), "tcp://HOST:PORT"));
    CHECK(says(failure(errc::invalid_argument, ""), "docker context ls"));
    CHECK(says(failure(errc::bad_configuration, ""), "mend the file"));
    CHECK(says(failure(errc::version_too_old, "unix:///s"), "upgrade"));
  }

  TEST_CASE("what a daemon is, and what is wrong with it") {
    daemon_answers answers;
    findings found = answers.check(std::uintmax_t{50} << 30);
    CHECK(found.problems.empty());
    CHECK(says(found, "Builders:          classic, buildkit\n"));
    CHECK(says(found, "Free space there:  53.7GB\n"));
    answers.version.api_version = "1.38";
    CHECK(says(answers.check(), "Builders:          classic\n"));
    answers.pong.libpod_version = "4.3.1";
    CHECK(says(answers.check(), "Builders:          buildah\n"));
    CHECK(says(answers.check(), "Engine:            podman\n"));

    CHECK(says(answers.check(1000), "almost full"));
    answers.info.storage_driver = "vfs";
    CHECK(says(answers.check(), "copies every layer"));
    answers.info.os_type = "windows";
    CHECK(says(answers.check(), "Linux containers"));
    answers.info.warnings = {"WARNING: No swap limit support"};
    CHECK(says(answers.check(), "warning: the daemon says: No swap limit support\n"));
    CHECK(is_usable({answers.check(1000)}));
  }

  TEST_CASE("contexts, and those that cannot be used") {
    engine::docker_context_list list;
    list.contexts.resize(1);
    list.contexts[0].name = "far";
    list.contexts[0].host = "ssh://h";
    list.problems = {"meta.json:1:2: not JSON"};
    findings found("docker_contexts", "Docker contexts");
    check_contexts(list, found);
    CHECK(says(found, "far (ssh://h)"));
    CHECK(says(found, "cannot be used: meta.json:1:2: not JSON"));
  }

  TEST_CASE("credentials: registries and programs, and no password") {
    const scratch_tree tree;
    CHECK(credentials(tree).problems.empty());
    CHECK(says(credentials(tree), "Exists:            no\n"));

    // dTpodW50ZXIy is "u:hunter2".
    tree.file("config.json",
              R"({"auths":{"h:5000":{"auth":"dTpodW50ZXIy"}},"credsStore":"there",)"
              R"("credHelpers":{"a.example":"missing","b.example":"../evil"},)"
              R"("proxies":{"default":{"httpProxy":"http://u:hunter2@p"}}})",
              0600);
    tree.file("bin/docker-credential-there", "#!/bin/sh\n", 0755);
    findings found = credentials(tree, tree.path("bin"));
    CHECK(says(found, "h:5000"));
    CHECK(says(found, tree.path("bin/docker-credential-there")));
    CHECK(says(found, "a.example (missing), b.example (../evil)"));
    REQUIRE(found.problems.size() == 2);
    CHECK(found.problems[0].what.find("docker-credential-../evil") != std::string::npos);
    CHECK(found.problems[1].what.find("docker-credential-missing on PATH") != std::string::npos);
    CHECK(is_usable({found}));
    for (const std::string& text : {report_text({found}), report_json({found})}) {
      CHECK(text.find("hunter2") == std::string::npos);
      CHECK(text.find("dTpodW50ZXIy") == std::string::npos);
    }

    tree.file("config.json", R"({"auths":{"h:5000":{"auth":"dTpodW50ZXIy"}}})", 0644);
    CHECK(says(credentials(tree), "cure: chmod 600 " + tree.path("config.json")));
    tree.file("config.json", "{\n oops");
    CHECK_FALSE(is_usable({credentials(tree)}));
    CHECK(says(credentials(tree), "config.json:2:"));
  }

  TEST_CASE("lines of --debug") {
    http::exchange_event what;
    what.number = 3;
    what.head = "GET /_ping HTTP/1.1\nHost: docker\n";
    CHECK(exchange_lines(what) == "debug: #3 > GET /_ping HTTP/1.1\ndebug: #3 > Host: docker\n");
    what.phase = http::exchange_phase::answer;
    what.elapsed = std::chrono::microseconds(1250);
    what.head = "HTTP/1.1 200 OK\nX: \x1b[31mred\n";
    CHECK(exchange_lines(what) == "debug: #3 < HTTP/1.1 200 OK (after 1.2 ms)\ndebug: #3 < X: red\n");
    what.phase = http::exchange_phase::over;
    what.head.clear();
    what.sent = 10;
    what.received = 20;
    CHECK(exchange_lines(what) == "debug: #3 = over after 1.2 ms; bodies: 10 bytes sent, 20 received\n");
    what.outcome = boost::asio::error::operation_aborted;
    CHECK(exchange_lines(what).ends_with("20 received; Operation canceled\n"));
  }
}

}  // namespace dockline::tool
