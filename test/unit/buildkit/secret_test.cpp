#include "dockline/buildkit/secret.hpp"

#include "dockline/core/diagnostics.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace dockline::buildkit {
namespace {

std::string refusal(std::string_view text) {
  diagnostics why;
  const auto read = parse_secret(text, why);
  if (read.has_value()) return "none";
  CHECK(read.error() == errc::invalid_argument);
  return why.client_message();
}

}  // namespace

TEST_SUITE("buildkit/secret") {
  TEST_CASE("a secret as docker has it on its command line") {
    ::setenv("DOCKLINE_TEST_SECRET", "from the environment", 1);
    const struct {
      std::string_view text;
      std::string id;
      std::string path;
      const char* value;
    } table[] = {
        {"id=a,src=/etc/a", "a", "/etc/a", nullptr},
        {"src=/etc/a=b,id=a", "a", "/etc/a=b", nullptr},
        {"id=a,source=b", "a", "b", nullptr},
        {"type=file,id=a,src=b", "a", "b", nullptr},
        {"id=a", "a", "a", nullptr},
        {"id=a,env=DOCKLINE_TEST_SECRET", "a", "", "from the environment"},
        {"id=a,type=env,src=DOCKLINE_TEST_SECRET", "a", "", "from the environment"},
        {"id=DOCKLINE_TEST_SECRET,type=env", "DOCKLINE_TEST_SECRET", "", "from the environment"},
        {"id=DOCKLINE_TEST_SECRET", "DOCKLINE_TEST_SECRET", "", "from the environment"},
        {"id=DOCKLINE_TEST_SECRET,type=file", "DOCKLINE_TEST_SECRET", "DOCKLINE_TEST_SECRET", nullptr},
    };
    for (const auto& row : table) {
      CAPTURE(row.text);
      diagnostics why;
      const auto read = parse_secret(row.text, why);
      REQUIRE(read.has_value());
      CHECK(read->id() == row.id);
      CHECK(read->path() == row.path);
      REQUIRE((read->value() != nullptr) == (row.value != nullptr));
      if (row.value != nullptr) CHECK(*read->value() == row.value);
    }
  }

  TEST_CASE("what cannot be read is refused by its part") {
    CHECK(refusal("") == "secret \"\": \"\" is none of id=, src=, env= and type=");
    CHECK(refusal("src=a") == "secret \"src=a\": it has no id=");
    CHECK(refusal("id=") == "secret \"id=\": nothing follows \"id\"");
    CHECK(refusal("id=a,color=red") ==
          "secret \"id=a,color=red\": \"color=red\" is none of id=, src=, env= and type=");
    CHECK(refusal("id=a,type=vault") == "secret \"id=a,type=vault\": the type is file or env");
    CHECK(refusal("id=a,src=b,env=C") ==
          "secret \"id=a,src=b,env=C\": it comes from a file or from the environment, not from both");
    ::unsetenv("DOCKLINE_TEST_UNSET");
    CHECK(refusal("id=a,env=DOCKLINE_TEST_UNSET") ==
          "secret \"a\": the environment variable DOCKLINE_TEST_UNSET is not set");
  }

  TEST_CASE("a value in memory is the same one for all copies") {
    const secret one = secret::from_memory("a", "short");
    const secret copy = one;
    CHECK(one.value() == copy.value());
    CHECK(*copy.value() == "short");
    CHECK(secret::from_file("a", "b").value() == nullptr);
    CHECK(secret().value() == nullptr);
  }

  TEST_CASE("secrets are looked at before a build") {
    const archive::scratch_tree folder;
    folder.file("fine", "value");
    folder.file("long", std::string(longest_secret + 1, 'x'));
    folder.directory("folder");
    const auto complaint = [&](std::vector<secret> secrets) {
      diagnostics why;
      const auto checked = check_secrets(secrets, why);
      if (checked.has_value()) return std::string("none");
      CHECK(checked.error() == errc::invalid_argument);
      std::string words = why.client_message();
      if (const auto at = words.find(folder.root()); at != words.npos)
        words.replace(at, folder.root().size(), "ROOT");
      return words;
    };
    const auto file = [&](const char* name) { return secret::from_file("a", folder.root() + "/" + name); };
    CHECK(complaint({}) == "none");
    CHECK(complaint({file("fine"), secret::from_memory("b", "")}) == "none");
    CHECK(complaint({secret::from_memory("", "x")}) == "secret: it has no id");
    CHECK(complaint({file("fine"), file("fine")}) == "secret \"a\": there are two of that id");
    CHECK(complaint({file("none")}) == "secret \"a\": ROOT/none: No such file or directory");
    CHECK(complaint({file("folder")}) == "secret \"a\": ROOT/folder: Is a directory");
    CHECK(complaint({file("long")}) ==
          "secret \"a\": it is longer than the 512000 bytes that BuildKit takes");
    CHECK(complaint({secret::from_memory("a", std::string(longest_secret + 1, 'x'))}) ==
          "secret \"a\": it is longer than the 512000 bytes that BuildKit takes");
  }
}

}  // namespace dockline::buildkit
