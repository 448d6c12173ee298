#include "dockline/engine/config_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

namespace dockline::engine {
namespace {

config_file parsed(std::string_view text) {
  diagnostics why;
  auto settings = parse_config_file(text, "config.json", why);
  REQUIRE_MESSAGE(settings.has_value(), why.client_message());
  CHECK(why.empty());
  return *settings;
}

std::string refusal(std::string_view text) {
  diagnostics why;
  const auto settings = parse_config_file(text, "/h/config.json", why);
  if (settings) return "accepted";
  CHECK(settings.error() == errc::bad_configuration);
  CHECK(settings.error() == condition::invalid_argument);
  return why.client_message();
}

}  // namespace

TEST_SUITE("engine/config_file") {
  TEST_CASE("all that is honoured") {
    const config_file settings = parsed(R"({
      "auths": {
        "https://index.docker.io/v1/": {"auth": "aHVi\r\nOnA6cQ==", "email": "x"},
        "r1:5000": {"username": "u", "password": "w", "auth": ""},
        "r2": {"auth": "MDAwOg==", "identitytoken": "idt"},
        "r3": {"registrytoken": "bearer"},
        "reminder": {},
        "nothing": null
      },
      "credsStore": "pass",
      "credHelpers": {"gcr.io": "gcr", "plain.example": ""},
      "currentContext": "far",
      "proxies": {"default": {"httpProxy": "http://p", "noProxy": "a,b"},
                  "tcp://d": {"httpsProxy": "s", "ftpProxy": "f", "allProxy": "*"}},
      "HttpHeaders": {"X-A": "1"},
      "psFormat": {"unknown": [1, 2]}
    })");
    CHECK(settings.auths.size() == 4);
    const auto& hub = settings.auths.at("https://index.docker.io/v1/");
    CHECK(hub.username == "hub");
    CHECK(hub.password == "p:q");
    CHECK(hub.server_address == "https://index.docker.io/v1/");
    CHECK(settings.auths.at("r1:5000").username == "u");
    CHECK(settings.auths.at("r1:5000").password == "w");
    CHECK(settings.auths.at("r2").username == "000");
    CHECK(settings.auths.at("r2").password.empty());
    CHECK(settings.auths.at("r2").identity_token == "idt");
    CHECK(settings.auths.at("r3").registry_token == "bearer");
    CHECK(settings.credentials_store == "pass");
    CHECK(settings.credential_helpers.at("gcr.io") == "gcr");
    CHECK(settings.current_context == "far");
    CHECK(settings.proxies.at("default").http == "http://p");
    CHECK(settings.proxies.at("default").no == "a,b");
    CHECK(settings.proxies.at("tcp://d").https == "s");
    CHECK(settings.proxies.at("tcp://d").ftp == "f");
    CHECK(settings.proxies.at("tcp://d").all == "*");
    CHECK(settings.http_headers.at("X-A") == "1");

    CHECK(settings.helper_for("gcr.io") == "gcr");
    CHECK(settings.helper_for("plain.example").empty());
    CHECK(settings.helper_for("docker.io") == "pass");
    REQUIRE(settings.proxies_for("tcp://d") != nullptr);
    CHECK(settings.proxies_for("tcp://d")->https == "s");
    REQUIRE(settings.proxies_for("unix:///x") != nullptr);
    CHECK(settings.proxies_for("unix:///x")->http == "http://p");
    CHECK(parsed("{}").proxies_for("unix:///x") == nullptr);
  }

  TEST_CASE("empty, and null for nothing") {
    CHECK(parsed("").auths.empty());
    CHECK(parsed(" \r\n\t").auths.empty());
    const config_file settings = parsed(
        R"({"auths":null,"credsStore":null,"credHelpers":null,"currentContext":null,"HttpHeaders":null})");
    CHECK(settings.credentials_store.empty());
    CHECK(settings.auth_for("docker.io") == nullptr);
    CHECK(settings.helper_for("docker.io").empty());
  }

  TEST_CASE("a registry is found however it is written, docker's own way first") {
    const auto with = [](std::string_view key) {
      return parsed(R"({"auths":{")" + std::string(key) + R"(":{"username":"u","password":"w"}}})");
    };
    for (const char* key : {"r.example:5000", "http://r.example:5000", "https://r.example:5000/v1/",
                            "https://r.example:5000/v2/", "r.example:5000/team"}) {
      CAPTURE(key);
      CHECK(with(key).auth_for("r.example:5000") != nullptr);
      CHECK(with(key).auth_for("r.example") == nullptr);
    }
    for (const char* key : {"https://index.docker.io/v1/", "docker.io", "index.docker.io"}) {
      CAPTURE(key);
      const config_file settings = with(key);
      REQUIRE(settings.auth_for("docker.io") != nullptr);
      CHECK(settings.auth_for("docker.io")->server_address == "https://index.docker.io/v1/");
    }
    const config_file both =
        parsed(R"({"auths":{"https://r/v1/":{"username":"a","password":"a"},"r":{"username":"b"}}})");
    REQUIRE(both.auth_for("http://r") != nullptr);
    CHECK(both.auth_for("http://r")->username == "b");
  }

  TEST_CASE("what is broken is named, with its place, and no value is shown") {
    CHECK(refusal("{\n  \"auths\": {,}\n}") == "/h/config.json:2:13: not JSON from here on");
    CHECK(refusal("{\"a\": 1") == "/h/config.json:1:8: not JSON from here on");
    CHECK(refusal(std::string_view("{}\0", 3)) == "/h/config.json:1:3: not JSON from here on");
    CHECK(refusal(std::string(100, '[')).starts_with("/h/config.json:1:"));
    CHECK(refusal("[]") == "/h/config.json: not a JSON object");
    CHECK(refusal(R"({"auths":[]})") == "/h/config.json: \"auths\": not an object");
    CHECK(refusal(R"({"auths":{"r":7}})") == "/h/config.json: \"auths\": holds something else than objects");
    CHECK(refusal(R"({"auths":{"r":{"password":7}}})") ==
          "/h/config.json: \"auths\", \"r\", \"password\": not a string");
    CHECK(refusal(R"({"credsStore":{}})") == "/h/config.json: \"credsStore\": not a string");
    CHECK(refusal(R"({"credHelpers":{"r":1}})") ==
          "/h/config.json: \"credHelpers\": holds something else than strings");
    CHECK(refusal(R"({"proxies":{"default":{"noProxy":[]}}})") ==
          "/h/config.json: \"proxies\", \"default\", \"noProxy\": not a string");
    // Not base64, no colon, no user.
    for (const char* auth : {"sec*ret", "c2VjcmV0", "OnNlY3JldA=="}) {
      CHECK(refusal(R"({"auths":{"r":{"auth":")" + std::string(auth) + R"("}}})") ==
            "/h/config.json: \"auths\", \"r\", \"auth\": not USER:PASSWORD in base64");
    }
  }

  TEST_CASE("32 levels of objects, and no more") {
    const auto nested = [](int levels) {
      std::string text = "{\"x\":";
      for (int i = 1; i < levels; ++i) text += '[';
      text.append(static_cast<std::size_t>(levels - 1), ']');
      return text + "}";
    };
    parsed(nested(32));
    CHECK(refusal(nested(33)).starts_with("/h/config.json:1:"));
    CHECK(refusal(nested(100'000)).starts_with("/h/config.json:1:"));
  }

  TEST_CASE("from the disk") {
    const archive::scratch_tree home;
    diagnostics why;
    auto missing = read_config_file(home.path("none"), why);
    REQUIRE(missing.has_value());
    CHECK(missing->auths.empty());

    home.file("good/config.json", R"({"credsStore":"pass"})");
    auto good = read_config_file(home.path("good"), why);
    REQUIRE(good.has_value());
    CHECK(good->credentials_store == "pass");
    // The directory's name is that of a file.
    CHECK(read_config_file(home.path("good/config.json"), why).has_value());

    home.directory("folder/config.json");
    CHECK(read_config_file(home.path("folder"), why).has_error());
    CHECK(why.client_message() == home.path("folder/config.json") + ": not a regular file");

    home.directory("pipe");
    REQUIRE(::mkfifo(home.path("pipe/config.json").c_str(), 0600) == 0);
    CHECK(read_config_file(home.path("pipe"), why).has_error());
  }

  TEST_CASE("16 MiB of a file, and no more") {
    const archive::scratch_tree home;
    diagnostics why;
    home.file("long/config.json", "{\"x\":\"" + std::string((16 << 20) + 1, 'x') + "\"}");
    CHECK(read_config_file(home.path("long"), why).has_error());
    CHECK(why.client_message() == home.path("long/config.json") + ": longer than 16 MiB");
  }
}

}  // namespace dockline::engine
