#include "dockline/engine/registry_auth.hpp"

#include "core/encoding.hpp"
#include "engine/registry_auth_header.hpp"
#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

namespace dockline::engine {
namespace {

std::string decoded(const std::string& field) {
  CHECK(field.size() % 4 == 0);  // padded: dockerd takes nothing else
  return decode_base64url(field).value_or("not base64url");
}

}  // namespace

TEST_SUITE("engine/registry_auth") {
  TEST_CASE("X-Registry-Auth: only the fields that are there") {
    CHECK(encode_registry_auth({}) == "e30=");
    CHECK(encode_registry_auth({"test", "test"}) == "eyJ1c2VybmFtZSI6InRlc3QiLCJwYXNzd29yZCI6InRlc3QifQ==");

    registry_auth all("u", "p\"\\\n\xc3\xbc");
    all.identity_token = "i";
    all.registry_token = "r";
    all.server_address = "127.0.0.1:5001";
    CHECK(decoded(encode_registry_auth(all)) ==
          "{\"username\":\"u\",\"password\":\"p\\\"\\\\\\n\xc3\xbc\",\"identitytoken\":\"i\","
          "\"registrytoken\":\"r\",\"serveraddress\":\"127.0.0.1:5001\"}");

    registry_auth nobody;
    nobody.server_address = "127.0.0.1:5001";
    CHECK(nobody.anonymous());
    CHECK(decoded(encode_registry_auth(nobody)) == "{}");
  }

  TEST_CASE("X-Registry-Auth: the alphabet of URLs") {
    // '?' and '>' at these places give the digits 62 and 63, which differ between the alphabets.
    const std::string field = encode_registry_auth({"???", ">>>>>>"});
    CHECK(field.find_first_of("+/") == field.npos);
    CHECK(field.find_first_of("-_") != field.npos);
    CHECK(decoded(field) == R"({"username":"???","password":">>>>>>"})");
  }

  TEST_CASE("X-Registry-Config: by registry, the anonymous left out") {
    CHECK(encode_registry_config({}) == "e30=");
    CHECK(encode_registry_config({{"a", {}}}) == "e30=");
    registry_auth token;
    token.identity_token = "t";
    CHECK(decoded(encode_registry_config({{"127.0.0.1:5001", {"test", "secret"}}, {"docker.io", token}})) ==
          R"({"127.0.0.1:5001":{"username":"test","password":"secret"},)"
          R"("https://index.docker.io/v1/":{"identitytoken":"t"}})");
    // One registry, written twice.
    CHECK(decoded(encode_registry_config({{"http://r:1", {"a", "b"}}, {"r:1", {"c", "d"}}})) ==
          R"({"r:1":{"username":"a","password":"b"}})");
  }

  TEST_CASE("POST /auth") {
    registry_auth auth("test", "secret");
    auth.server_address = "127.0.0.1:5001";
    const std::string body = R"({"username":"test","password":"secret","serveraddress":"127.0.0.1:5001"})";
    CHECK(request_text(auth_check_request(auth), {1, 41}) ==
          "POST /v1.41/auth HTTP/1.1\r\nUser-Agent: dockline/test\r\nContent-Type: application/json\r\n"
          "Host: docker\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  TEST_CASE("the key of a registry: one for every way of writing it") {
    for (const char* hub : {"docker.io", "index.docker.io", "registry-1.docker.io",
                            "https://index.docker.io/v1/", "https://index.docker.io/v1", "http://docker.io",
                            "Docker.IO", "https://registry-1.docker.io/v2/"}) {
      CAPTURE(hub);
      CHECK(registry_key(hub) == "https://index.docker.io/v1/");
    }
    CHECK(registry_key("127.0.0.1:5001") == "127.0.0.1:5001");
    CHECK(registry_key("http://127.0.0.1:5001/v2/") == "127.0.0.1:5001");
    CHECK(registry_key("https://Registry.Example/v1/") == "registry.example");
    CHECK(registry_key("[::1]:5000/v2") == "[::1]:5000");
    CHECK(registry_key("").empty());
  }
}

}  // namespace dockline::engine
