#include "commands/context_table.hpp"

#include <doctest/doctest.h>

namespace dockline::tool {
namespace {

archive::context_entry file(std::string path, std::uint64_t size) {
  archive::context_entry entry;
  entry.path = std::move(path);
  entry.size = size;
  return entry;
}

}  // namespace

TEST_SUITE("tools/context_table") {
  TEST_CASE("sizes are shown with one digit, and never as a thousand of a unit") {
    CHECK(size_text(0) == "0 B");
    CHECK(size_text(999) == "999 B");
    CHECK(size_text(1000) == "1.0 kB");
    CHECK(size_text(999'949) == "999.9 kB");
    CHECK(size_text(999'950) == "1.0 MB");
    CHECK(size_text(12'345'678'901) == "12.3 GB");
    CHECK(size_text(UINT64_MAX) == "18.4 EB");
  }

  TEST_CASE("the largest come first, and each line of the ignore file tells what it dropped") {
    archive::context_listing listing;
    archive::context_entry directory;
    directory.path = "a";
    directory.type = archive::entry_type::directory;
    listing.entries = {file("Dockerfile", 20), directory, file("a/big", 5'000'000), file("a/b/c", 1000)};
    listing.bytes = 5'001'020;
    listing.rules = {{".dockerignore", 1, "*.log"}, {".dockerignore", 3, "node_modules"}};
    for (int i = 0; i < 7; ++i) {
      archive::ignored_path log;
      log.path = "x" + std::to_string(i) + ".log";
      listing.ignored.push_back(log);
    }
    archive::ignored_path whole;
    whole.path = "node_modules";
    whole.whole_directory = true;
    whole.rule = 1;
    listing.ignored.push_back(whole);
    listing.skipped = {{"run.sock", "a socket"}};
    listing.disputed = "d/keep";
    CHECK(context_table(archive::build_context(), listing) ==
          "  5.0 MB in 4 entries, ignored: 8 paths\n"
          "Dockerfile   \n"
          "Ignore file  none, read as BuildKit does\n"
          "\nLargest directories\n"
          "     5.0 MB         2 files  a/\n"
          "     1.0 kB          1 file  a/b/\n"
          "\nLargest files\n"
          "     5.0 MB  a/big\n"
          "     1.0 kB  a/b/c\n"
          "       20 B  Dockerfile\n"
          "\nIgnored\n"
          "  .dockerignore:1  *.log\n"
          "    x0.log\n    x1.log\n    x2.log\n    x3.log\n    x4.log\n    and 2 more\n"
          "  .dockerignore:3  node_modules\n"
          "    node_modules/\n"
          "\nSkipped\n"
          "  run.sock  a socket\n"
          "\nThe classic builder and BuildKit differ on d/keep\n");
  }

  TEST_CASE("names from outside cannot reach the terminal's controls") {
    archive::context_listing listing;
    listing.entries = {file("\x1b[2Jevil\n", 1)};
    const std::string text = context_table(archive::build_context(), listing);
    CHECK(text.find('\x1b') == text.npos);
    CHECK(text.find("evil\n\n") == text.npos);
  }
}

}  // namespace dockline::tool
