#include "dockline/archive/context_listing.hpp"

#include "context_helpers.hpp"
#include "scratch_tree.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace dockline::archive {
namespace {

struct listed {
  error_code code;
  diagnostics why;
  context_listing listing;
};

listed list(const context_options& options) {
  const auto opened = open(options);
  REQUIRE(!opened.code);
  listed out;
  boost::asio::io_context loop;
  async_list_context(loop.get_executor(), opened.context, out.why,
                     [&](error_code code, context_listing listing) {
                       out.code = code;
                       out.listing = std::move(listing);
                     });
  loop.run();
  return out;
}

}  // namespace

TEST_SUITE("archive/context_listing") {
  TEST_CASE("what is sent, what is not, and by which line") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file(".dockerignore", "# big\nnode_modules/\n*.log\n!keep.log\n");
    tree.file("node_modules/x/y", "x");
    tree.file("a.log");
    tree.file("keep.log", "12345", 0640);
    tree.symlink("z", "keep.log");
    REQUIRE(::link(tree.path("keep.log").c_str(), tree.path("linked").c_str()) == 0);
    REQUIRE(::mkfifo(tree.path("pipe").c_str(), 0600) == 0);
    context_options options;
    options.directory = tree.root();
    const auto [code, why, listing] = list(options);
    REQUIRE(!code);
    std::string text;
    for (const auto& entry : listing.entries)
      text +=
          entry.path + " " + name_of(entry.type) + " " + std::to_string(entry.size) + " " + entry.link + "\n";
    CHECK(text ==
          ".dockerignore file 36 \nDockerfile file 13 \nkeep.log file 5 \nlinked hardlink 0 keep.log\n"
          "pipe fifo 0 \nz symlink 0 keep.log\n");
    CHECK(listing.entries[2].mode == 0640);
    CHECK(listing.bytes == 54);
    REQUIRE(listing.ignored.size() == 2);
    CHECK(listing.ignored[0].path == "a.log");
    CHECK_FALSE(listing.ignored[0].whole_directory);
    const ignore_origin& first = listing.rules[listing.ignored[0].rule];
    CHECK(first.file == ".dockerignore");
    CHECK(first.line == 3);
    CHECK(first.pattern == "*.log");
    CHECK(listing.ignored[1].path == "node_modules");
    CHECK(listing.ignored[1].whole_directory);
    CHECK(listing.rules[listing.ignored[1].rule].pattern == "node_modules/");
    CHECK_FALSE(listing.disputed);
  }

  TEST_CASE("an entered directory that is ignored itself is told as well") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    tree.file(".dockerignore", "d\n!**/*.txt\n");
    tree.file("d/a.txt");
    tree.file("d/b");
    context_options options;
    options.directory = tree.root();
    const auto buildkit = list(options).listing;
    REQUIRE(buildkit.ignored.size() == 2);
    CHECK(buildkit.ignored[0].path == "d");
    CHECK_FALSE(buildkit.ignored[0].whole_directory);
    CHECK(buildkit.ignored[1].path == "d/b");
    CHECK(buildkit.disputed == "d/a.txt");
    options.mode = ignore_mode::classic;
    const auto classic = list(options).listing;
    REQUIRE(classic.ignored.size() == 1);
    CHECK(classic.ignored[0].whole_directory);
    CHECK(classic.disputed == "d/a.txt");
  }

  TEST_CASE(
      "as JSON: names that are not UTF-8 carry their bytes, a directory dropped whole ends in a slash") {
    context_listing listing;
    context_entry entry;
    entry.path = "caf\xe9";
    entry.mode = 04755;
    entry.size = 3;
    listing.entries.push_back(entry);
    entry.path = "l";
    entry.type = entry_type::symlink;
    entry.mode = 0777;
    entry.size = 0;
    entry.link = "to";
    listing.entries.push_back(entry);
    listing.bytes = 3;
    ignore_origin origin;
    origin.file = ".dockerignore";
    origin.line = 2;
    origin.pattern = "d";
    listing.rules.push_back(origin);
    ignored_path dropped;
    dropped.path = "d";
    dropped.whole_directory = true;
    listing.ignored.push_back(dropped);
    skipped_path skipped;
    skipped.path = "s";
    skipped.reason = "a socket";
    listing.skipped.push_back(skipped);
    CHECK(to_json(build_context(), listing) ==
          R"({"mode":"buildkit","dockerfile":"","ignore_file":"","entries":[)"
          "{\"path\":\"caf\xef\xbf\xbd\","
          R"("path_base64":"Y2Fm6Q==","type":"file","size":3,"mode":"4755"},)"
          R"({"path":"l","type":"symlink","size":0,"mode":"0777","link":"to"}],)"
          R"("ignored":[{"path":"d/","rule":{"file":".dockerignore","line":2,"pattern":"d"}}],)"
          R"("skipped":[{"path":"s","reason":"a socket"}],)"
          R"("totals":{"entries":2,"bytes":3,"ignored":1}})");
  }

  TEST_CASE("the JSON of a long listing is handed over in parts") {
    context_listing listing;
    listing.entries.resize(10'000);
    for (auto& entry : listing.entries) entry.path = "some/path";
    std::string whole;
    std::size_t parts = 0;
    to_json(build_context(), listing, [&](std::string_view part) {
      CHECK(part.size() < 20'000);
      whole += part;
      ++parts;
    });
    CHECK(parts > 10);
    CHECK(whole == to_json(build_context(), listing));
    CHECK(whole.ends_with(R"("totals":{"entries":10000,"bytes":0,"ignored":0}})"));
  }
}

}  // namespace dockline::archive
