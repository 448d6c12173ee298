#include "http/proxy.hpp"

#include "unit/http/parsed_url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::http {
namespace {

bool direct(const std::string& list, std::string_view text) { return reached_directly(list, at(text)); }

}  // namespace

TEST_SUITE("http/proxy") {
  TEST_CASE("what is reached without a proxy") {
    struct row {
      const char* list;
      const char* where;
      bool direct;
    };
    for (const row& one : {
             row{"", "https://a.example", false},
             row{"", "https://localhost", true},
             row{"", "http://127.0.0.1:99", true},
             row{"*", "https://a.example", true},
             row{"example", "https://a.example", true},
             row{"a.example", "https://a.example", true},
             row{"A.Example", "https://a.example", true},
             row{"a.example", "https://b.a.example", true},
             row{".a.example", "https://b.a.example", true},
             row{".a.example", "https://a.example", false},
             row{"*.a.example", "https://b.a.example", true},
             row{"*.a.example", "https://a.example", false},
             row{"a.example", "https://ba.example", false},
             row{"x, a.example ,y", "https://a.example", true},
             row{"a.example:443", "https://a.example", true},
             row{"a.example:80", "https://a.example", false},
             row{"10.0.0.1", "https://10.0.0.1", true},
             row{"10.0.0.1:8443", "https://10.0.0.1:8443", true},
             row{"10.0.0.0/8", "https://10.9.9.9", true},
             row{"10.0.0.0/8", "https://11.0.0.1", false},
             row{"fd00::/8", "https://[fd12::1]", true},
             row{"fd00::/8", "https://10.0.0.1", false},
             row{"fd12::1", "https://[fd12::1]", true},
             row{"[fd12::1]:443", "https://[fd12::1]", true},
             row{"", "http://169.254.169.254/computeMetadata/v1/", true},
             row{"", "http://metadata.google.internal/computeMetadata/v1/", true},
             row{"", "http://[fd00:ec2::254]/latest", true},
             row{"", "http://[fe80::1]/", true},
             row{"", "http://169.253.169.254/", false},
             row{"", "http://[fd00:ec2::253]/", false},
             row{"", "https://metadata.google.internal.example", false},
             row{":80,,/,:", "https://a.example", false},
         }) {
      CAPTURE(one.list);
      CAPTURE(one.where);
      CHECK(direct(one.list, one.where) == one.direct);
    }
  }

  TEST_CASE("which proxy") {
    proxy_variables variables;
    diagnostics why;
    CHECK_FALSE(choose_proxy(variables, at("https://a.example"), why)->has_value());
    variables.https = "proxy.example:3128";
    variables.http = "https://u:p@other.example";
    variables.none = "b.example";
    CHECK((*choose_proxy(variables, at("https://a.example"), why))->origin() == "http://proxy.example:3128");
    CHECK((*choose_proxy(variables, at("http://a.example"), why))->origin() == "https://other.example");
    CHECK((*choose_proxy(variables, at("http://a.example"), why))->password == "p");
    CHECK_FALSE(choose_proxy(variables, at("https://b.example"), why)->has_value());
    variables.https = "ftp://u:secret@proxy.example";
    const auto refused = choose_proxy(variables, at("https://a.example"), why);
    CHECK(refused.error() == errc::invalid_argument);
    CHECK(why.client_message() ==
          "HTTPS_PROXY \"ftp://proxy.example\": a URL here begins with https:// or http://");
  }
}

}  // namespace dockline::http
