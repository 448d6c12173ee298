// The trees of test/data/dockerignore-cases.json, which hold what the docker CLI and BuildKit's walk kept.

#include "archive/ignore_rules.hpp"
#include "context_helpers.hpp"
#include "scratch_tree.hpp"
#include "support/test_data.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace dockline::archive {
namespace {

rapidjson::Document read_cases() {
  std::ifstream file(test_data() / "dockerignore-cases.json");
  std::stringstream text;
  text << file.rdbuf();
  rapidjson::Document document;
  document.Parse(text.str().c_str());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

std::vector<std::string> strings(const rapidjson::Value& array) {
  std::vector<std::string> out;
  for (const auto& value : array.GetArray()) out.emplace_back(value.GetString(), value.GetStringLength());
  return out;
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The rule for the two files that are always sent, on top of what BuildKit's walk keeps: BuildKit itself
// fetches them apart. They come with entries for their directories, in the order of the walk.
std::vector<std::string> with_always(std::vector<std::string> names, const std::vector<std::string>& always) {
  for (const std::string& path : always) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (!contains(names, path.substr(0, slash + 1))) names.push_back(path.substr(0, slash + 1));
    }
    if (!contains(names, path)) names.push_back(path);
  }
  // A slash sorts before everything else: names are compared directory by directory.
  const auto key = [](std::string name) {
    std::replace(name.begin(), name.end(), '/', '\x01');
    return name;
  };
  std::sort(names.begin(), names.end(),
            [&](const std::string& a, const std::string& b) { return key(a) < key(b); });
  return names;
}

void lay_out(const scratch_tree& tree, const rapidjson::Value& test) {
  for (const auto& name : strings(test["files"]))
    tree.file(name, name.find("Dockerfile") != std::string::npos ? "FROM scratch\n" : "");
  for (const auto& name : strings(test["dirs"])) tree.directory(name);
  for (const auto& link : test["symlinks"].GetArray()) tree.symlink(link[0].GetString(), link[1].GetString());
  if (test.HasMember("dockerignore_hex")) {
    tree.file(".dockerignore", from_hex(test["dockerignore_hex"].GetString()));
  } else if (!test["dockerignore"].IsNull()) {
    tree.file(".dockerignore", {test["dockerignore"].GetString(), test["dockerignore"].GetStringLength()});
  }
  // What lies beside the Dockerfile is not an ignore file in the CLI's answers.
  for (const auto& name : strings(test["files"])) {
    if (name.ends_with("Dockerfile.dockerignore")) tree.file(name, "");
  }
}

context_options options_of(const scratch_tree& tree, const rapidjson::Value& test, ignore_mode mode) {
  context_options options;
  options.directory = tree.root();
  options.working_directory = tree.root();
  options.mode = mode;
  const std::string dockerfile = test["dockerfile"].GetString();
  if (dockerfile == "-") {
    options.dockerfile = dockerfile_source::from_text("FROM scratch\n");
  } else if (dockerfile != "Dockerfile") {
    options.dockerfile = dockerfile_source::from_path(dockerfile);
  }
  return options;
}

}  // namespace

TEST_SUITE("archive/dockerignore_cases") {
  TEST_CASE("lines are read as docker reads them") {
    const auto document = read_cases();
    for (const auto& test : document["parse_cases"].GetArray()) {
      diagnostics why;
      const auto lines =
          read_ignore_lines({test["text"].GetString(), test["text"].GetStringLength()}, ".dockerignore", why);
      REQUIRE(lines.has_value());
      std::vector<std::string> patterns;
      for (const auto& line : *lines) patterns.push_back(line.pattern);
      CHECK(patterns == strings(test["patterns"]));
    }
  }

  TEST_CASE("every tree is cut as docker and BuildKit cut it") {
    const auto document = read_cases();
    std::size_t checked = 0;
    for (const auto& test : document["cases"].GetArray()) {
      const std::string id = test["id"].GetString();
      CAPTURE(id);
      const scratch_tree tree;
      lay_out(tree, test);
      for (const ignore_mode mode : {ignore_mode::classic, ignore_mode::buildkit}) {
        CAPTURE(static_cast<int>(mode));
        auto opened = open(options_of(tree, test, mode));
        ++checked;
        if (test["error"].IsString()) {
          CHECK(opened.code == errc::invalid_pattern);
          CHECK(opened.why.client_message().find(".dockerignore line ") == 0);
          continue;
        }
        REQUIRE_MESSAGE(!opened.code, describe(opened.code, opened.why));
        const auto packed = drain(*opened.context.pack());
        REQUIRE_MESSAGE(!packed.code, packed.code.message() << ": " << packed.why);
        bool ended = false;
        auto names = names_of(read_tar(packed.bytes, ended));
        CHECK(ended);

        const std::string made_up = "<RANDOM-DOCKERFILE>";
        const std::string dockerfile = opened.context.dockerfile_name();
        const bool elsewhere = test["dockerfile"].GetString() == std::string("-");
        if (elsewhere) std::replace(names.begin(), names.end(), dockerfile, made_up);
        CHECK((elsewhere ? made_up : dockerfile) == test["dockerfile_query"].GetString());

        std::vector<std::string> expected = strings(test["cli_kept_in_tar_order"]);
        std::vector<std::string> always;
        if (!elsewhere) always.push_back(dockerfile);
        if (!opened.context.ignore_file().empty()) always.push_back(opened.context.ignore_file());
        if (mode == ignore_mode::buildkit && !test["buildkit_kept"].IsNull()) {
          expected = with_always(strings(test["buildkit_kept"]), always);
          if (elsewhere) expected.push_back(made_up);
        }
        if (mode == ignore_mode::classic && test.HasMember("cli_bug")) {
          CHECK(contains(names, dockerfile));
          continue;
        }
        CHECK(lines_of(names) == lines_of(expected));
      }
    }
    CHECK(checked == 166);
  }

  TEST_CASE("an ignore file beside the Dockerfile wins in both modes") {
    const scratch_tree tree;
    for (const char* name : {"Dockerfile", "Dockerfile2", "bar", "foo"}) tree.file(name);
    tree.file("Dockerfile.dockerignore", "bar\n");
    tree.file("Dockerfile2.dockerignore", "foo\n*.dockerignore\n");
    tree.file(".dockerignore", "foo\nbar\n");
    for (const ignore_mode mode : {ignore_mode::classic, ignore_mode::buildkit}) {
      context_options options;
      options.directory = tree.root();
      options.mode = mode;
      bool ended = false;
      auto names = names_of(read_tar(pack(options).bytes, ended));
      CHECK(names == std::vector<std::string>{".dockerignore", "Dockerfile", "Dockerfile.dockerignore",
                                              "Dockerfile2", "Dockerfile2.dockerignore", "foo"});
      options.dockerfile = dockerfile_source::from_path(tree.path("Dockerfile2"));
      names = names_of(read_tar(pack(options).bytes, ended));
      CHECK(names ==
            std::vector<std::string>{"Dockerfile", "Dockerfile2", "Dockerfile2.dockerignore", "bar"});
    }
  }
}

}  // namespace dockline::archive
