#include "dockline/engine/image_ref.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {
namespace {

const std::string digits64(64, 'f');
const std::string sha256 = "sha256:" + digits64;

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_SUITE("engine/image_ref") {
  TEST_CASE("a reference is taken apart and normalised as docker does it") {
    struct row {
      std::string text, domain, path, tag, digest;
    };
    const std::vector<row> rows = {
        {"app", "docker.io", "library/app", "", ""},
        {"app:1", "docker.io", "library/app", "1", ""},
        {"team/app", "docker.io", "team/app", "", ""},
        {"docker.io/app", "docker.io", "library/app", "", ""},
        {"docker.io/library/app", "docker.io", "library/app", "", ""},
        {"docker.io/library/a/b", "docker.io", "library/a/b", "", ""},
        {"index.docker.io/app:x", "docker.io", "library/app", "x", ""},
        {"index.docker.io/team/app", "docker.io", "team/app", "", ""},
        {"localhost/app", "localhost", "app", "", ""},
        {"localhost:5000/app", "localhost:5000", "app", "", ""},
        {"test:5000/repo:tag", "test:5000", "repo", "tag", ""},
        {"test:5000/repo@" + sha256, "test:5000", "repo", "", sha256},
        {"test:5000/repo:tag@" + sha256, "test:5000", "repo", "tag", sha256},
        {"test.com:5000", "docker.io", "library/test.com", "5000", ""},
        {"test_com/foo", "docker.io", "test_com/foo", "", ""},
        {"foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", ""},
        {"foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", "8080", ""},
        {"b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
         "test.example.com", ""},
        {"xn--7o8h.com/myimage:xn--7o8h.com@sha512:" + digits64 + digits64, "xn--7o8h.com", "myimage",
         "xn--7o8h.com", "sha512:" + digits64 + digits64},
        {"a@sha384:" + digits64 + digits64.substr(0, 32), "docker.io", "library/a", "",
         "sha384:" + digits64 + digits64.substr(0, 32)},
        {"192.168.1.1", "docker.io", "library/192.168.1.1", "", ""},
        {"192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", ""},
        {"[2001:db8::1]/repo", "[2001:db8::1]", "repo", "", ""},
        {"[2001:db8:1:2:3:4:5:6]:5000/repo:tag@" + sha256, "[2001:db8:1:2:3:4:5:6]:5000", "repo", "tag",
         sha256},
        {"[::1]:5000/repo", "[::1]:5000", "repo", "", ""},
        // A registry may be written in capitals, and an upper-case first part is therefore one.
        {"Docker/docker", "Docker", "docker", "", ""},
        {"lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", ""},
        {"docker---rules/a__b.c-d_e", "docker.io", "docker---rules/a__b.c-d_e", "", ""},
        {"d/t", "docker.io", "d/t", "", ""},
        {"a:_x", "docker.io", "library/a", "_x", ""},
        {"a:" + std::string(128, 't'), "docker.io", "library/a", std::string(128, 't'), ""},
        {"docker.io/" + digits64, "docker.io", "library/" + digits64, "", ""},
        {digits64.substr(1), "docker.io", "library/" + digits64.substr(1), "", ""},
        {digits64 + ":1", "docker.io", "library/" + digits64, "1", ""},
        // 255 bytes are counted behind the registry.
        {"r.io/" + repeat("a/", 127) + "a:t", "r.io", repeat("a/", 127) + "a", "t", ""},
    };
    for (const auto& one : rows) {
      diagnostics why;
      const auto parsed = parse_image_ref(one.text, why);
      REQUIRE_MESSAGE(parsed.has_value(), one.text << ": " << why.client_message());
      CHECK_MESSAGE(parsed->domain == one.domain, one.text);
      CHECK_MESSAGE(parsed->path == one.path, one.text);
      CHECK_MESSAGE(parsed->tag == one.tag, one.text);
      CHECK_MESSAGE(parsed->digest == one.digest, one.text);
      CHECK(why.empty());
      // Written out it is the same reference again.
      diagnostics unused;
      const auto again = parse_image_ref(to_string(*parsed), unused);
      REQUIRE(again.has_value());
      image_ref expected = *parsed;
      if (expected.tag.empty() && expected.digest.empty()) expected.tag = "latest";
      CHECK_MESSAGE(*again == expected, one.text);
    }
  }

  TEST_CASE("what is no reference is refused with the rule that it breaks") {
    const std::vector<std::pair<std::string, std::string_view>> rows = {
        {"", "it is empty"},
        {digits64, "64 hexadecimal digits are an id"},
        {":justtag", "repository name"},
        {"@" + sha256, "repository name"},
        {"a:", "a tag is"},
        {"a:-x", "a tag is"},
        {"a:.x", "a tag is"},
        {"a:b c", "a tag is"},
        {"a:b/c:d:", "a tag is"},
        {"a:" + std::string(129, 't'), "a tag is"},
        {"a:t\xc3\xa4g", "a tag is"},
        {"repo@sha256:" + std::string(34, 'f'), "digest"},
        {"repo@sha256:" + std::string(65, 'f'), "digest"},
        {"repo@sha256:" + std::string(64, 'F'), "digest"},
        {"repo@sha256:" + std::string(64, 'g'), "digest"},
        {"repo@sha384:" + digits64, "digest"},
        {"repo@sha512:" + digits64, "digest"},
        {"validname@invaliddigest:" + digits64, "digest"},
        {"repo@md5:" + std::string(32, 'f'), "digest"},
        {"repo@", "digest"},
        {"repo@" + sha256 + "@" + sha256, "digest"},
        {"Uppercase:tag", "lower case"},
        {"test:5000/Uppercase/lowercase:tag", "lower case"},
        {"docker/Docker", "lower case"},
        {"docker.io/docker/Docker", "lower case"},
        {"aa/asdf$$^/aa", "repository name"},
        {"https://github.com/docker/docker", "registry"},
        {"-docker", "repository name"},
        {"-docker/docker", "repository name"},
        {"docker-/docker", "repository name"},
        {"-docker.io/docker/docker", "registry"},
        {"docker///docker", "repository name"},
        {"docker.io/docker///docker", "repository name"},
        {"docker/", "repository name"},
        {"docker.io/", "repository name"},
        {"/docker", "repository name"},
        {"____/____", "repository name"},
        {"_docker/_docker", "repository name"},
        {"dock..er/docker", "registry"},
        {"x/dock..er", "repository name"},
        {"x/dock_.er", "repository name"},
        {"x/dock-.er", "repository name"},
        {"x/dock___er", "repository name"},
        {"[fc00::1]", ""},
        {"[fc00::1]:5000", ""},
        {"fc00::1:5000/debian", "registry"},
        {"[fe80::1%eth0]:5000/debian", "registry"},
        {"[2001:db8:3:4::192.0.2.33]:5000/debian", "registry"},
        {"[]:5000/debian", "registry"},
        {"host:/app", "registry"},
        {"host:port/app", "registry"},
        {"a b", "repository name"},
        {"app\n", "repository name"},
        {"\xc3\xa4pp", "repository name"},
        {std::string("a\0b", 3), "repository name"},
        {"r.io/" + repeat("a/", 128) + "a:tag", "255"},
    };
    for (const auto& [text, words] : rows) {
      diagnostics why;
      const auto parsed = parse_image_ref(text, why);
      REQUIRE_MESSAGE(parsed.has_error(), text);
      CHECK(parsed.error() == errc::invalid_reference);
      CHECK(why.client_message().starts_with("image reference \"" + text + "\": "));
      CHECK_MESSAGE(why.client_message().find(words) != std::string::npos, why.client_message());
    }
  }

  TEST_CASE("written out: domain, path, then tag and digest") {
    image_ref reference;
    reference.domain = "r.io";
    reference.path = "a/b";
    CHECK(to_string(reference) == "r.io/a/b:latest");
    reference.digest = sha256;
    CHECK(to_string(reference) == "r.io/a/b@" + sha256);
    reference.tag = "1";
    CHECK(to_string(reference) == "r.io/a/b:1@" + sha256);
  }
}

}  // namespace dockline::engine
