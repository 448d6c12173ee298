// What a session answers the daemon, call by call.

#include "buildkit/health.hpp"
#include "buildkit/registry_tokens.hpp"
#include "buildkit/secrets.hpp"
#include "unit/archive/scratch_tree.hpp"
#include "unit/grpc/caller.hpp"

#include <boost/asio/thread_pool.hpp>

#include <doctest/doctest.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dockline::buildkit {
namespace {

std::string field_one(std::string_view text) {
  std::string message;
  protozero::pbf_writer(message).add_bytes(1, text.data(), text.size());
  return message;
}

// The text fields of a message: "1=value;".
std::string texts_of(const std::string& message) {
  std::string all;
  protozero::pbf_reader fields(message);
  while (fields.next()) {
    all += std::to_string(fields.tag()) + "=";
    all += fields.get_string() + ";";
  }
  return all;
}

// The answer to one call: "0 1=value;" or the status and its words.
std::string ask(grpc::caller& client, std::string path, std::string_view request) {
  const auto id = client.call(std::move(path), request);
  client.talk();
  const auto& answer = client.answers[id];
  // A file is read on a thread of its own.
  for (int i = 0; i < 1000 && answer.closed.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    client.talk();
  }
  if (answer.messages.empty()) return answer.status;
  return answer.status + " " + texts_of(answer.messages.at(0));
}

constexpr auto get_secret = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
constexpr auto credentials = "/moby.filesync.v1.Auth/Credentials";

}  // namespace

TEST_SUITE("buildkit/services") {
  TEST_CASE("health: serving") {
    grpc::service offered;
    offer_health(offered);
    grpc::caller client(offered);
    client.run();
    const auto once = client.call("/grpc.health.v1.Health/Check", "");
    const auto watching = client.call("/grpc.health.v1.Health/Watch", "");
    client.talk();
    CHECK(client.answers[once].messages == std::vector<std::string>{"\x08\x01"});
    CHECK(client.answers[once].status == "0");
    CHECK(client.answers[watching].messages == std::vector<std::string>{"\x08\x01"});
    CHECK(client.answers[watching].status == "");
    client.serving->close();
    client.talk();
    CHECK(*client.outcome == error_code());
  }

  TEST_CASE("secrets: from memory and from files, each time anew") {
    const archive::scratch_tree folder;
    folder.file("key", "first");
    grpc::service offered;
    std::vector<secret> secrets;
    secrets.push_back(secret::from_memory("token", std::string("t\0ken", 5)));
    secrets.push_back(secret::from_memory("large", std::string(longest_secret, 'l')));
    secrets.push_back(secret::from_file("key", folder.path("key")));
    secrets.push_back(secret::from_file("gone", folder.path("gone")));
    secrets.push_back(secret::from_file("long", folder.path("long")));
    folder.file("long", std::string(longest_secret + 1, 'x'));
    boost::asio::thread_pool work(1);
    offer_secrets(offered, std::move(secrets), work.get_executor());
    grpc::caller client(offered);
    client.run();
    CHECK(ask(client, get_secret, field_one("token")) == std::string("0 1=t\0ken;", 10));
    CHECK(ask(client, get_secret, field_one("key")) == "0 1=first;");
    folder.file("key", "second");
    CHECK(ask(client, get_secret, field_one("key")) == "0 1=second;");
    // Compared here, since what differs would be printed.
    const bool same =
        ask(client, get_secret, field_one("large")) == "0 1=" + std::string(longest_secret, 'l') + ";";
    CHECK(same);
    CHECK(ask(client, get_secret, field_one("none")) == "5 not found");
    CHECK(ask(client, get_secret, "") == "5 not found");
    CHECK(ask(client, get_secret, field_one("gone")) ==
          "2 secret gone: " + folder.path("gone") + ": No such file or directory");
    CHECK(ask(client, get_secret, field_one("long")) ==
          "2 secret long: " + folder.path("long") + ": longer than BuildKit takes");
    CHECK(ask(client, get_secret, "\x0a\xff") == "13 the request cannot be read");
  }

  TEST_CASE("logins: what is known by the registry's name, and nobody else's") {
    registry_logins logins;
    logins.known["127.0.0.1:5001"] = engine::registry_auth("me", "pass word");
    logins.known["docker.io"].identity_token = "refresh";
    grpc::service offered;
    offer_logins(offered, std::move(logins));
    grpc::caller client(offered);
    client.run();
    CHECK(ask(client, credentials, field_one("127.0.0.1:5001")) == "0 1=me;2=pass word;");
    CHECK(ask(client, credentials, field_one("registry-1.docker.io")) == "0 2=refresh;");
    CHECK(ask(client, credentials, field_one("other.example")) == "0 ");
    CHECK(ask(client, credentials, "\x0a\xff") == "13 the request cannot be read");
  }

  TEST_CASE("logins: a store is asked once, and its warnings are told") {
    registry_logins logins;
    logins.store.emplace();
    logins.store->config.auths["here.example"] = engine::registry_auth("me", "stored");
    logins.store->config.credential_helpers["helped.example"] = "missing";
    std::vector<std::string> warnings;
    logins.on_warning = [&](std::string text) { warnings.push_back(std::move(text)); };
    grpc::service offered;
    offer_logins(offered, std::move(logins));
    grpc::caller client(offered);
    client.run();
    CHECK(ask(client, credentials, field_one("here.example")) == "0 1=me;2=stored;");
    std::vector<h2::stream_id> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(client.call(credentials, field_one("helped.example")));
    client.talk();
    for (const auto id : ids) CHECK(client.answers[id].status == "0");
    CHECK(ask(client, credentials, field_one("helped.example")) == "0 ");
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("docker-credential-missing") != std::string::npos);
  }
}

}  // namespace dockline::buildkit
