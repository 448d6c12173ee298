// Credentials all the way: from a helper program, through the daemon, to a registry that wants them. The
// registry is Debian's docker-registry, in a container on the daemon's own network.

#include "dockline/engine/credentials.hpp"

#include "dockline/engine/auth_check.hpp"
#include "dockline/engine/dockerfile_images.hpp"

#include "daemon/daemon_helpers.hpp"
#include "engine/client_state.hpp"
#include "engine/registry_auth_header.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <sstream>

namespace dockline::daemon_test {
namespace {

using namespace std::chrono_literals;

constexpr const char* registry_program = "/usr/bin/docker-registry";
// The line of htpasswd(1) for the user "test" with the password "test".
constexpr const char* password_file = "test:$2b$04$p7W.FjeYbdTv9sawYt1TXu3dJirPO4.yJK5R.GrT6CUq3oEd5VUVG\n";

// A program and the libraries that it needs, as a tree.
void copy_program(const scratch_tree& tree, const std::string& program, const std::string& as) {
  std::filesystem::copy_file(program, tree.path(as));
  std::FILE* pipe = ::popen(("ldd " + program).c_str(), "r");
  REQUIRE(pipe != nullptr);
  char line[4096];
  while (std::fgets(line, sizeof(line), pipe) != nullptr) {
    const std::string text = line;
    const std::size_t start = text.find('/');
    if (start == text.npos) continue;
    const std::string library = text.substr(start, text.find(' ', start) - start);
    std::filesystem::create_directories(std::filesystem::path(tree.path("root" + library)).parent_path());
    std::filesystem::copy_file(library, tree.path("root" + library));
  }
  ::pclose(pipe);
}

asio::awaitable<error_code> log_in(engine::client daemon, engine::registry_auth auth) {
  auto [code, done] = co_await engine::async_auth_check(daemon, std::move(auth), no_throw);
  if (!code) CHECK(done.status == "Login Succeeded");
  co_return code;
}

// A registry that only the user "test" may use. Gone at the end of the test, as the images that are in it.
class private_registry {
 public:
  explicit private_registry(engine_fixture& engine) : engine_(engine) {
    // Not one that the system gives to connections, and another one for each run.
    address_ = "127.0.0.1:" + std::to_string(20'000 + ::getpid() % 10'000);
    const scratch_tree tree;
    copy_program(tree, registry_program, "registry");
    tree.directory("root");
    tree.file("htpasswd", password_file);
    tree.file("config.yml", "version: 0.1\nstorage: {filesystem: {rootdirectory: /data}}\nhttp: {addr: \"" +
                                address_ + "\"}\nauth: {htpasswd: {realm: test, path: /htpasswd}}\n");
    tree.file("Dockerfile", "FROM scratch\nCOPY root /\nCOPY registry htpasswd config.yml /\n");
    auto options = engine.tagged("registry");
    const std::string image = options.tags.front();
    const build_outcome built = engine.build(tree, options);
    REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    engine::container_options container;
    container.image = image;
    container.name = engine.name("registry-container");
    container.cmd = {"/registry", "serve", "/config.yml"};
    container.network_mode = "host";
    engine.run(start(engine.daemon(), container));
    for (int i = 0; engine.run(log_in(engine.daemon(), auth("test"))); ++i) {
      REQUIRE_MESSAGE(i < 100, "the registry does not answer");
      ::usleep(100'000);
    }
  }

  const std::string& address() const { return address_; }
  engine::registry_auth auth(const std::string& password) const {
    engine::registry_auth made("test", password);
    made.server_address = address_;
    return made;
  }

  // The answer to a push with these credentials.
  std::string push(const std::string& repository, const std::string& tag, const engine::registry_auth& auth) {
    return engine_.run(push_now(engine_.daemon(), repository, tag, engine::encode_registry_auth(auth)));
  }

 private:
  static asio::awaitable<void> start(engine::client daemon, engine::container_options container) {
    const std::string name = container.name;
    co_await engine::async_container_create(daemon, std::move(container));
    co_await engine::async_container_start(daemon, name);
  }

  static asio::awaitable<std::string> push_now(engine::client daemon, std::string repository, std::string tag,
                                               std::string field) {
    engine::endpoint what("POST", "/images/" + repository + "/push");
    what.parameters.add("tag", tag);
    what.fields.push_back({"X-Registry-Auth", std::move(field)});
    what.silent = true;
    diagnostics why;
    auto state = daemon.state();
    const auto answer = co_await state->call(std::move(what), why);
    REQUIRE_MESSAGE(answer.has_value(), why.server_message());
    co_return answer->body;
  }

  engine_fixture& engine_;
  std::string address_;
};

asio::awaitable<engine::found_credentials> look_up(asio::any_io_executor executor,
                                                   engine::credential_store store,
                                                   std::vector<std::string> registries) {
  auto found = co_await engine::async_find_credentials(executor, std::move(store), std::move(registries));
  co_return found;
}

}  // namespace

TEST_SUITE("daemon/credentials") {
  TEST_CASE("a private base image: with credentials from a helper, without any, with wrong ones") {
    if (engine_fixture::is_podman()) {
      MESSAGE("skipped: podman wants the registry in its configuration");
      return;
    }
    if (::access(registry_program, X_OK) != 0) {
      MESSAGE("skipped: " << registry_program << " is not there (Debian: docker-registry)");
      return;
    }
    engine_fixture engine;
    private_registry registry(engine);

    CHECK(engine.run(log_in(engine.daemon(), registry.auth("wrong"))) == errc::service_failed);

    // The base, in the registry and nowhere else.
    const std::string repository = registry.address() + "/private/" + engine.name("repository");
    const std::string base = repository + ":v1";
    {
      const scratch_tree tree;
      tree.file("Dockerfile", "FROM scratch\nLABEL private=yes\nCOPY Dockerfile /\n");
      engine::build_options options;
      options.tags = {base};
      const build_outcome built = engine.build(tree, options);
      REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    }
    CHECK(registry.push(repository, "v1", registry.auth("wrong")).find("errorDetail") != std::string::npos);
    const std::string pushed = registry.push(repository, "v1", registry.auth("test"));
    CHECK_MESSAGE(pushed.find("digest: sha256:") != std::string::npos, pushed);
    const auto forget = [](engine::client daemon, std::string name) -> asio::awaitable<void> {
      engine::image_remove_options options;
      options.force = true;
      auto [code, gone] = co_await engine::async_image_remove(daemon, std::move(name), options, no_throw);
      CHECK_FALSE(code);
    };
    engine.run(forget(engine.daemon(), base));

    const scratch_tree tree;
    const std::string dockerfile = "ARG BASE=" + base + "\nFROM $BASE\nLABEL derived=yes\n";
    tree.file("Dockerfile", dockerfile);
    auto options = engine.tagged("derived");
    const build_outcome anonymous = engine.build(tree, options);
    CHECK(anonymous.code == errc::build_failed);
    CHECK(anonymous.why.server_message().find("no basic auth credentials") != std::string::npos);
    options.registry_auths[registry.address()] = registry.auth("wrong");
    CHECK(engine.build(tree, options).code == errc::build_failed);
    CHECK_FALSE(engine.has_image(options.tags.front()));

    const scratch_tree helpers;
    helpers.file("docker-credential-test",
                 "#!/bin/sh\n[ \"$(cat)\" = " + registry.address() +
                     " ] && echo '{\"ServerURL\":\"\",\"Username\":\"test\",\"Secret\":\"test\"}'\n",
                 0755);
    engine::credential_store store;
    store.config.credential_helpers["http://" + registry.address()] = "test";
    store.search_path = helpers.root();
    store.environment = {"PATH=/usr/bin:/bin"};
    const auto registries = engine::registries_of_build(dockerfile, options);
    CHECK(registries == std::vector<std::string>{registry.address()});
    const auto found = engine.run(look_up(engine.loop().get_executor(), store, registries));
    CHECK(found.warnings.empty());
    options.registry_auths = found.auths;
    const build_outcome built = engine.build(tree, options);
    CHECK_MESSAGE(!built.code, describe(built.code, built.why));
    CHECK(engine.has_image(options.tags.front()));
    engine.run(forget(engine.daemon(), base));
  }
}

}  // namespace dockline::daemon_test
