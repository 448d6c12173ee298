#include "buildkit/file_sync.hpp"

#include "unit/archive/context_helpers.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {
namespace {

using archive::dockerfile_source;
using archive::overlay_file;
using archive::scratch_tree;

archive::context_options with_files(const scratch_tree& tree) {
  archive::context_options options;
  options.directory = tree.root();
  for (const char* name : {"made.py", "#[odd]*? \\"}) {
    archive::extra_file file;
    file.name = name;
    file.text = "made";
    options.extra_files.push_back(file);
  }
  return options;
}

std::string names_in(const file_source& source) {
  std::string names;
  for (const overlay_file& file : source.plan.overlay) names += file.name + "\n";
  return names;
}

}  // namespace

TEST_SUITE("buildkit/file_sync") {
  TEST_CASE("the context has the files from memory, the Dockerfile is apart with rules that spare them") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM a\n");
    tree.file(".dockerignore", "*.py\n#[odd]*\n\\#*\n");
    const auto opened = archive::open(with_files(tree));
    REQUIRE_MESSAGE(!opened.code, opened.why.client_message());
    const auto files = files_of(opened.context);
    const file_source& context = *files->directories.at("context");
    const file_source& definition = *files->directories.at("dockerfile");
    CHECK(names_in(context) == "made.py\n#[odd]*? \\\n");
    CHECK(context.plan.root == tree.root());
    REQUIRE(names_in(definition) == "Dockerfile\nDockerfile.dockerignore\n");
    CHECK(definition.plan.overlay[0].text == "FROM a\n");
    const std::string& rules = definition.plan.overlay[1].text;
    CHECK(rules == "*.py\n\\#*\n!made.py\n!#\\[odd\\]\\*\\??\\\\\n");
    // The daemon reads them as we do.
    diagnostics why;
    const auto read = archive::ignore_rules::parse(rules, "rules", why);
    REQUIRE_MESSAGE(read.has_value(), why.client_message());
    archive::ignore_matcher matcher(*read);
    CHECK(matcher.ignored_by("other.py", {}, nullptr));
    CHECK(matcher.ignored_by("#other", {}, nullptr));
    for (const overlay_file& file : context.plan.overlay) {
      CAPTURE(file.name);
      CHECK_FALSE(matcher.ignored_by(file.name, {}, nullptr));
    }
  }

  TEST_CASE("a Dockerfile from memory or elsewhere is no file of the context, nor is a tar's ignore file") {
    const scratch_tree tree;
    const scratch_tree elsewhere;
    tree.file(".dockerignore", "*.log\n");
    elsewhere.file("special", "FROM b\n");
    for (const bool memory : {true, false}) {
      CAPTURE(memory);
      archive::context_options options = with_files(tree);
      options.extra_files.pop_back();
      options.dockerfile = memory ? dockerfile_source::from_text("FROM b\n")
                                  : dockerfile_source::from_path(elsewhere.path("special"));
      const auto opened = archive::open(options);
      REQUIRE_MESSAGE(!opened.code, opened.why.client_message());
      const auto files = files_of(opened.context);
      CHECK(names_in(*files->directories.at("context")) == "made.py\n");
      const file_source& definition = *files->directories.at("dockerfile");
      REQUIRE(names_in(definition) == "Dockerfile\nDockerfile.dockerignore\n");
      CHECK(definition.plan.overlay[0].text == "FROM b\n");
      CHECK(definition.plan.overlay[1].text == "*.log\n!made.py\n");
    }
  }

  TEST_CASE("a Dockerfile alone has a context of the files from memory") {
    const scratch_tree tree;
    archive::context_options options = with_files(tree);
    options.dockerfile = dockerfile_source::alone("FROM c\n");
    const auto opened = archive::open(options);
    REQUIRE_MESSAGE(!opened.code, opened.why.client_message());
    const auto files = files_of(opened.context);
    CHECK_FALSE(files->directories.at("context")->plan.on_disk);
    CHECK(names_in(*files->directories.at("context")) == "made.py\n#[odd]*? \\\n");
    CHECK(files->directories.at("dockerfile")->plan.overlay[0].text == "FROM c\n");
  }

  TEST_CASE("patterns that are not ASCII come escaped, and all of their name with them") {
    grpc::metadata asked;
    asked.add("include-patterns", "caf%C3%A9+bar");
    asked.add("include-patterns", "100%25");
    asked.add("include-patterns", "%zz%4");
    asked.add("include-patterns-encoded", "1");
    asked.add("exclude-patterns", "a+b%20c");
    asked.add("followpaths", "x%2By");
    asked.add("followpaths-encoded", "0");
    const file_request read = read_file_request(asked);
    CHECK(read.include == std::vector<std::string>{"caf\xc3\xa9 bar", "100%", "%zz%4"});
    CHECK(read.exclude == std::vector<std::string>{"a+b%20c"});
    CHECK(read.follow == std::vector<std::string>{"x%2By"});
    CHECK(!read.only_excludes);
  }

  TEST_CASE("one time for all files is not that of the Dockerfile") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM a\n");
    archive::context_options options = with_files(tree);
    options.reproducible = true;
    const auto opened = archive::open(options);
    REQUIRE_MESSAGE(!opened.code, opened.why.client_message());
    const auto files = files_of(opened.context);
    CHECK(files->directories.at("context")->rules.fixed_time == 0);
    CHECK_FALSE(files->directories.at("dockerfile")->rules.fixed_time);
  }
}

}  // namespace dockline::buildkit
