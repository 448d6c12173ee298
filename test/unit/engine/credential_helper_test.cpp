#include "engine/credential_helper.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

namespace dockline::engine {

TEST_SUITE("engine/credential_helper") {
  TEST_CASE("an answer with credentials") {
    const auto password = read_helper_answer(0, "{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}\n",
                                             "registry.example");
    CHECK(password.failure.empty());
    CHECK(password.auth.username == "u");
    CHECK(password.auth.password == "s");
    CHECK(password.auth.server_address == "registry.example");

    const auto token = read_helper_answer(0, R"({"Username":"<token>","Secret":"t"})", "r");
    CHECK(token.auth.identity_token == "t");
    CHECK(token.auth.username.empty());
    CHECK(token.auth.password.empty());

    // Google's user is one like any other.
    const auto google =
        read_helper_answer(0, R"({"Username":"oauth2accesstoken","Secret":"ya29"})", "gcr.io");
    CHECK(google.auth.username == "oauth2accesstoken");
    CHECK(google.auth.password == "ya29");
  }

  TEST_CASE("no credentials are no failure") {
    for (const auto& answer :
         {read_helper_answer(1, "credentials not found in native keychain\n", "r"),
          read_helper_answer(2, "error: `credentials not found in native keychain`", "r"),
          read_helper_answer(0, R"({"ServerURL":"r","Username":"","Secret":""})", "r")}) {
      CHECK(answer.failure.empty());
      CHECK(answer.auth.anonymous());
    }
  }

  TEST_CASE("a failure is told without what might be a secret") {
    const auto failure = [](int status, std::string_view output) {
      const auto answer = read_helper_answer(status, output, "r");
      CHECK(answer.auth.anonymous());
      return answer.failure;
    };
    CHECK(failure(1, "pass store is uninitialized\nmore\n") ==
          "ended with status 1: pass store is uninitialized");
    CHECK(failure(1, "") == "ended with status 1");
    CHECK(failure(137, "") == "ended by signal 9");
    CHECK(failure(1, "a\tb\x1b[31m\xff\r\n") == "ended with status 1: a b [31m\xef\xbf\xbd");
    CHECK(failure(1, std::string(1000, 'x')).size() < 300);
    CHECK(failure(3, R"({"Username":"u","Secret":"hunter2"})") == "ended with status 3");
    for (const char* output : {"", "hunter2", "{\"Username\":\"u\",\"Secret\":\"hunter2\"", "[]", "{}",
                               "{\"Username\":\"u\"}", "{\"Username\":1,\"Secret\":\"hunter2\"}"}) {
      CAPTURE(output);
      CHECK(failure(0, output) == "printed something else than credentials");
    }
  }

  TEST_CASE("names of helpers") {
    for (const char* good : {"pass", "ecr-login", "osxkeychain", "gcloud", "a.b_c+1"})
      CHECK(is_helper_name(good));
    for (const char* bad : {"", "..", "../evil", "a/b", "/bin/sh", "a..b", "a b", "a\n", "a;b"}) {
      CAPTURE(bad);
      CHECK_FALSE(is_helper_name(bad));
    }
    CHECK_FALSE(is_helper_name(std::string(300, 'a')));
  }

  TEST_CASE("a program is the first executable file of the path") {
    const archive::scratch_tree tree;
    tree.directory("a/docker-credential-x");
    tree.file("b/docker-credential-x", "", 0644);
    tree.file("c/docker-credential-x", "", 0755);
    tree.file("d/docker-credential-x", "", 0755);
    const auto path = [&](std::string_view names) {
      std::string joined;
      for (const char name : names) joined += tree.path(std::string(1, name)) + ":";
      return joined;
    };
    if (::getuid() != 0)
      CHECK(find_program(path("abcd"), "docker-credential-x") == tree.path("c/docker-credential-x"));
    CHECK(find_program(path("acd"), "docker-credential-x") == tree.path("c/docker-credential-x"));
    CHECK(find_program("::" + path("d"), "docker-credential-x") == tree.path("d/docker-credential-x"));
    CHECK_FALSE(find_program(path("a"), "docker-credential-x"));
    CHECK_FALSE(find_program("", "docker-credential-x"));
    // What a relative folder is depends on where the program was started.
    CHECK_FALSE(find_program(".:bin:", "docker-credential-x"));
  }
}

}  // namespace dockline::engine
