#include "http/url.hpp"

#include "unit/http/parsed_url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::http {
namespace {

std::string read(std::string_view text) {
  diagnostics why;
  const auto where = parse_url(text, why);
  if (!where) {
    CHECK(where.error() == errc::invalid_argument);
    return why.client_message();
  }
  CHECK(why.empty());
  return where->origin() + ' ' + where->target;
}

}  // namespace

TEST_SUITE("http/url") {
  TEST_CASE("what a request needs of a URL") {
    CHECK(read("https://storage.googleapis.com") == "https://storage.googleapis.com /");
    CHECK(read("https://Storage.Example:443/a%2Fb?x=1&y=%20#part") ==
          "https://storage.example /a%2Fb?x=1&y=%20");
    CHECK(read("http://127.0.0.1:8080/") == "http://127.0.0.1:8080 /");
    CHECK(read("http://[::1]:8080?q") == "http://[::1]:8080 /?q");
    CHECK(read("http://h:80/x") == "http://h /x");
    CHECK(at("https://[::1]/").host == "::1");
    CHECK(at("https://h:8443/").authority() == "h:8443");
    CHECK(at("http://u%40x:p%3A@proxy:3128").user == "u@x");
    CHECK(at("http://u%40x:p%3A@proxy:3128").password == "p:");
  }

  TEST_CASE("what is none is refused, and no secret is repeated") {
    CHECK(read("storage.googleapis.com") == "\"storage.googleapis.com\": not a URL");
    CHECK(read("") == "\"\": not a URL");
    CHECK(read("ftp://h/") == "\"ftp://h/\": a URL here begins with https:// or http://");
    CHECK(read("https:///x") == "\"https:///x\": the host is missing");
    CHECK(read("https://h:0/") == "\"https://h:0/\": the port is a number from 1 to 65535");
    CHECK(read("https://h:99999/") == "\"https://h:99999/\": the port is a number from 1 to 65535");
    CHECK(read("https://a%0db/").find("not the name") != std::string::npos);
    // What would not be the same in a request's head, or would not be read as the same.
    CHECK(read("https://a%3A1/") == "\"https://a%3A1/\": not the name or address of a host");
    CHECK(read("https://a%25b/") == "\"https://a%25b/\": not the name or address of a host");
    CHECK(read("https://%61/") == "\"https://%61/\": not the name or address of a host");
    CHECK(read("https://127.0.0.%31/") == "\"https://127.0.0.%31/\": not the name or address of a host");
    CHECK(read("http:^") == "\"http:^\": not a URL");
    CHECK(read("http:") == "\"http:\": not a URL");
    CHECK(read("http://[::1]*8240") == "\"http://[::1]*8240\": not a URL");
    CHECK(read("http://[v1.a:b]/") == "\"http://[v1.a:b]/\": not the name or address of a host");
    CHECK(read("https://h/a b?token=secret") == "\"https://h/a b\": not a URL");
    CHECK(read("ftp://me:secret@h/x") == "\"ftp://h/x\": a URL here begins with https:// or http://");
  }

  TEST_CASE("what a Location means") {
    const std::string asked = "https://storage.example:8443/upload/b/box/o?uploadType=resumable";
    CHECK(resolve_reference(asked, "/session/1?id=a%2Fb") ==
          "https://storage.example:8443/session/1?id=a%2Fb");
    CHECK(resolve_reference(asked, "//other.example/s") == "https://other.example/s");
    CHECK(resolve_reference(asked, "s1") == "https://storage.example:8443/upload/b/box/s1");
    CHECK(resolve_reference(asked, "?id=1") == "https://storage.example:8443/upload/b/box/o?id=1");
    CHECK(resolve_reference(asked, "http://127.0.0.1:1/s?a=b#c") == "http://127.0.0.1:1/s?a=b#c");
    CHECK(resolve_reference(asked, "").empty());
    CHECK(resolve_reference(asked, "no such [ thing") == "no such [ thing");
    CHECK(resolve_reference("{universe}", "/session") == "/session");
  }

  TEST_CASE("this machine") {
    for (const char* here :
         {"http://localhost:1/", "http://a.localhost/", "http://127.9.9.9/", "http://[::1]/"})
      CHECK(at(here).is_loopback());
    for (const char* there : {"http://localhost.example/", "http://10.0.0.1/", "http://[::2]/"})
      CHECK_FALSE(at(there).is_loopback());
  }
}

}  // namespace dockline::http
