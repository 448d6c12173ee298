#include "core/small_file.hpp"

#include "dockline/core/diagnostics.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

namespace dockline {

TEST_SUITE("core/small_file") {
  TEST_CASE("a file, none, and what is no file") {
    const archive::scratch_tree tree;
    diagnostics why;
    tree.file("token", "abc\n");
    auto read = read_small_file(tree.path("token"), why);
    REQUIRE(read.has_value());
    CHECK(*read == "abc\n");
    read = read_small_file(tree.path("none"), why);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->has_value());
    // Nobody writes into the pipe: to wait for that would be for ever.
    REQUIRE(::mkfifo(tree.path("pipe").c_str(), 0600) == 0);
    for (const auto* name : {"", "pipe"}) {
      CAPTURE(name);
      read = read_small_file(tree.path(name), why);
      REQUIRE(read.has_error());
      CHECK(read.error() == errc::bad_configuration);
      CHECK(why.client_message() == tree.path(name) + ": not a regular file");
    }
  }

  TEST_CASE("1 MiB of a file and no more, or what is asked for") {
    const archive::scratch_tree tree;
    diagnostics why;
    tree.file("file", std::string(1 << 20, 'x'));
    CHECK(read_small_file(tree.path("file"), why).has_value());
    tree.file("file", std::string((1 << 20) + 1, 'x'));
    const auto read = read_small_file(tree.path("file"), why);
    REQUIRE(read.has_error());
    CHECK(read.error() == errc::bad_configuration);
    CHECK(why.client_message() == tree.path("file") + ": longer than 1 MiB");
    CHECK(read_small_file(tree.path("file"), why, 2 * mebibyte).has_value());
  }
}

}  // namespace dockline
