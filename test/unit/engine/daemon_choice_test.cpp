#include "dockline/engine/daemon_choice.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/docker_context.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <utility>

namespace dockline::engine {
namespace {

using archive::scratch_tree;

// sha256("far") and sha256("broken"), as `printf far | sha256sum` has them.
constexpr std::string_view far_folder = "512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868";
constexpr std::string_view broken_folder = "f526795c95399cea27c055c842c3d6ab018ed0fa4f66f701c28ab22dec28237b";

// A configuration directory of docker with the context "far".
struct configuration : scratch_tree {
  explicit configuration(bool tls = true) {
    file("contexts/meta/" + std::string(far_folder) + "/meta.json",
         R"({"Name":"far","Metadata":{"Description":"The far one"},)"
         R"("Endpoints":{"docker":{"Host":"tcp://far.example:2376","SkipTLSVerify":false}}})");
    if (!tls) return;
    for (const char* name : {"ca.pem", "cert.pem", "key.pem"})
      file("contexts/tls/" + std::string(far_folder) + "/docker/" + name);
  }

  daemon_sources sources() const {
    daemon_sources found;
    found.config_directory = root();
    return found;
  }
};

client_options chosen(const daemon_sources& sources) {
  diagnostics why;
  auto options = choose_daemon(sources, why);
  REQUIRE_MESSAGE(options.has_value(), why.client_message());
  return *options;
}

std::string refusal(const daemon_sources& sources, errc expected) {
  diagnostics why;
  const auto options = choose_daemon(sources, why);
  REQUIRE(options.has_error());
  CHECK(options.error() == expected);
  CHECK(options.error() == condition::invalid_argument);
  return why.client_message();
}

}  // namespace

TEST_SUITE("engine/daemon_choice") {
  TEST_CASE("the order: asked for, DOCKER_HOST, DOCKER_CONTEXT, the current context, the default") {
    const configuration docker;
    docker.file("config.json", R"({"currentContext":"far"})");
    daemon_sources sources = docker.sources();
    CHECK(chosen(sources).host == "tcp://far.example:2376");

    sources.docker_context = "default";
    CHECK(chosen(sources).host == "unix:///var/run/docker.sock");
    sources.docker_context = "far";
    CHECK(chosen(sources).host == "tcp://far.example:2376");

    sources.docker_host = "unix:///environment";
    CHECK(chosen(sources).host == "unix:///environment");

    sources.context = "far";
    CHECK(chosen(sources).host == "tcp://far.example:2376");
    // "default" is what there would be without contexts.
    sources.context = "default";
    CHECK(chosen(sources).host == "unix:///environment");
    sources.docker_host.clear();
    CHECK(chosen(sources).host == "unix:///var/run/docker.sock");

    sources.context.clear();
    sources.docker_host = "unix:///environment";
    sources.host = "unix:///asked";
    CHECK(chosen(sources).host == "unix:///asked");
  }

  TEST_CASE("who had the say is told") {
    const configuration docker;
    daemon_sources sources = docker.sources();
    const auto named = [&] {
      diagnostics why;
      const auto found = who_names_the_daemon(sources, why);
      REQUIRE_MESSAGE(found.has_value(), why.client_message());
      return std::pair(found->origin, found->context);
    };
    CHECK(named() == std::pair(daemon_origin::default_socket, std::string()));
    docker.file("config.json", R"({"currentContext":"far"})");
    CHECK(named() == std::pair(daemon_origin::current_context, std::string("far")));
    sources.docker_context = "near";
    CHECK(named() == std::pair(daemon_origin::docker_context, std::string("near")));
    sources.docker_host = "tcp://a";
    CHECK(named() == std::pair(daemon_origin::docker_host, std::string()));
    sources.context = "default";
    CHECK(named() == std::pair(daemon_origin::context_option, std::string()));
    sources.context.clear();
    sources.host = "tcp://b";
    CHECK(named() == std::pair(daemon_origin::host_option, std::string()));
  }

  TEST_CASE("all contexts, and what is wrong with the others") {
    const configuration docker;
    CHECK(list_docker_contexts(docker.root() + "/none").problems.empty());
    docker.file("contexts/meta/" + std::string(broken_folder) + "/meta.json",
                R"({"Name":"broken","Endpoints":{}})");
    docker.file("contexts/meta/0/meta.json", "{");
    docker.file("contexts/meta/1/other");
    const auto found = list_docker_contexts(docker.root());
    REQUIRE(found.contexts.size() == 1);
    CHECK(found.contexts[0].name == "far");
    CHECK(found.contexts[0].host == "tcp://far.example:2376");
    REQUIRE(found.problems.size() == 2);
    CHECK(found.problems[0].find("/0/meta.json") != std::string::npos);
    CHECK(found.problems[1].find(broken_folder) != std::string::npos);
  }

  TEST_CASE("nothing is read that does not count") {
    const scratch_tree docker;
    docker.file("config.json", "broken");
    daemon_sources sources;
    sources.config_directory = docker.root();
    CHECK(refusal(sources, errc::bad_configuration) ==
          docker.path("config.json") + ":1:1: not JSON from here on");
    sources.docker_host = "unix:///x";
    CHECK(chosen(sources).host == "unix:///x");
    sources.docker_host.clear();
    sources.context = "default";
    CHECK(chosen(sources).host == "unix:///var/run/docker.sock");
    CHECK(chosen({}).host == "unix:///var/run/docker.sock");
  }

  TEST_CASE("a host and a context, a context that is not there, one that cannot be read") {
    const configuration docker;
    daemon_sources sources = docker.sources();
    sources.host = "unix:///asked";
    sources.context = "far";
    CHECK(refusal(sources, errc::invalid_argument) ==
          "a host and a context are given: only one of them can name the daemon");
    sources.host.clear();
    sources.context = "../far";
    CHECK(refusal(sources, errc::invalid_argument) ==
          "context \"../far\": not found in " + docker.path("contexts"));
    const std::string meta = "contexts/meta/" + std::string(broken_folder) + "/meta.json";
    sources.context = "broken";
    docker.file(meta, "{");
    CHECK(refusal(sources, errc::bad_configuration) == docker.path(meta) + ":1:2: not JSON from here on");
    docker.file(meta, R"({"Name":"broken","Endpoints":{"kubernetes":{"Host":"x"}}})");
    CHECK(refusal(sources, errc::bad_configuration) ==
          docker.path(meta) + ": \"Endpoints\", \"docker\", \"Host\": not there");
  }

  TEST_CASE("a context and its TLS") {
    diagnostics why;
    const configuration docker;
    const auto far = read_docker_context(docker.root(), "far", why);
    REQUIRE(far.has_value());
    CHECK(far->name == "far");
    CHECK(far->description == "The far one");
    CHECK(far->tls.enabled);
    CHECK(far->tls.verify);
    const std::string folder = docker.path("contexts/tls/" + std::string(far_folder) + "/docker");
    CHECK(far->tls.ca_file == folder + "/ca.pem");
    CHECK(far->tls.certificate_file == folder + "/cert.pem");
    CHECK(far->tls.key_file == folder + "/key.pem");
    // What the environment says of TLS is for DOCKER_HOST.
    daemon_sources sources = docker.sources();
    sources.context = "far";
    sources.docker_tls_verify = true;
    sources.docker_cert_path = "/elsewhere";
    CHECK(chosen(sources).tls.ca_file == folder + "/ca.pem");

    const configuration plain(false);
    const auto without = read_docker_context(plain.root(), "far", why);
    REQUIRE(without.has_value());
    CHECK_FALSE(without->tls.enabled);
    plain.file("contexts/meta/" + std::string(far_folder) + "/meta.json",
               R"({"Endpoints":{"docker":{"Host":"tcp://far.example:2376","SkipTLSVerify":true}}})");
    const auto skipping = read_docker_context(plain.root(), "far", why);
    REQUIRE(skipping.has_value());
    CHECK(skipping->tls.enabled);
    CHECK_FALSE(skipping->tls.verify);
  }

  TEST_CASE("TLS of DOCKER_HOST and of the options") {
    const scratch_tree certificates;
    certificates.file("cert.pem");
    daemon_sources sources;
    sources.docker_host = "tcp://d:2376";
    CHECK_FALSE(chosen(sources).tls.enabled);
    CHECK(chosen(sources).host == "tcp://d:2376");

    sources.docker_tls_verify = true;
    sources.docker_cert_path = certificates.root();
    http::tls_options tls = chosen(sources).tls;
    CHECK(tls.enabled);
    CHECK(tls.verify);
    // Named though it is not there: its absence is an error, not a reason to trust others.
    CHECK(tls.ca_file == certificates.path("ca.pem"));
    CHECK(tls.certificate_file == certificates.path("cert.pem"));
    CHECK(tls.key_file.empty());

    sources.tls_verify = false;
    CHECK_FALSE(chosen(sources).tls.enabled);
    sources.tls = true;
    tls = chosen(sources).tls;
    CHECK(tls.enabled);
    CHECK_FALSE(tls.verify);

    sources = {};
    sources.host = "tcp://d";
    sources.tls_verify = true;
    sources.tls_ca_file = "/my/ca";
    sources.tls_certificate_file = "/my/cert";
    sources.tls_key_file = "/my/key";
    sources.config_directory = certificates.root();
    tls = chosen(sources).tls;
    CHECK(tls.ca_file == "/my/ca");
    CHECK(tls.certificate_file == "/my/cert");
    CHECK(tls.key_file == "/my/key");
    sources.tls_ca_file.clear();
    // Docker's own folder may lack it: those of the system count then.
    CHECK(chosen(sources).tls.ca_file.empty());
  }

  TEST_CASE("podman's socket is named, never chosen") {
    const scratch_tree runtime;
    daemon_sources sources;
    sources.runtime_directory = runtime.root();
    CHECK(chosen(sources).hint.empty());
    runtime.file("podman/podman.sock");
    CHECK(chosen(sources).hint.empty());  // a file is no socket
    std::filesystem::remove(runtime.path("podman/podman.sock"));

    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    const std::string path = runtime.path("podman/podman.sock");
    std::strncpy(where.sun_path, path.c_str(), sizeof(where.sun_path) - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
    CHECK(chosen(sources).host == "unix:///var/run/docker.sock");
    CHECK(chosen(sources).hint == "podman has a socket: DOCKER_HOST=unix://" + path);
    sources.docker_host = "unix:///x";
    CHECK(chosen(sources).hint.empty());
    ::close(listener);
  }
}

}  // namespace dockline::engine
