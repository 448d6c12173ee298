#include "archive/tar_packer.hpp"

#include "context_helpers.hpp"
#include "memory_disk.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

namespace dockline::archive {
namespace {

struct outcome {
  error_code code;
  std::string why;
  std::string bytes;
  std::vector<std::string> warnings;
};

outcome pack_all(const tree_plan& plan, const disk& files, std::size_t block_size = 1000,
                 const packing_rules& rules = {}) {
  tar_packer packer(plan, rules, files);
  outcome out;
  std::string block(block_size, '\0');
  for (;;) {
    const auto count = packer.fill(block);
    if (!count) {
      out.code = count.error();
      break;
    }
    out.bytes.append(block, 0, *count);
    if (*count < block.size()) break;
  }
  out.why = packer.why().client_message();
  out.warnings = packer.take_warnings();
  return out;
}

tree_plan plan_of(std::string_view rules, ignore_mode mode = ignore_mode::buildkit) {
  tree_plan plan;
  plan.mode = mode;
  diagnostics why;
  plan.rules = *ignore_rules::parse(rules, ".dockerignore", why);
  plan.ignore_file = ".dockerignore";
  return plan;
}

std::string names_in(const outcome& packed) {
  bool ended = false;
  const std::string names = lines_of(names_of(read_tar(packed.bytes, ended)));
  CHECK(ended);
  return names;
}

}  // namespace

TEST_SUITE("archive/tar_packer") {
  TEST_CASE("the tar does not depend on the sizes of the blocks it is asked for in") {
    memory_disk files;
    files.file("a/b/c", std::string(5000, 'x'));
    files.file("a/empty", "");
    files.file("a-b", std::string(512, 'y'));
    files.other("link", file_kind::symlink, "a/b/c");
    const outcome whole = pack_all(plan_of(""), files, 1 << 20);
    CHECK(names_in(whole) == "a/\na/b/\na/b/c\na/empty\na-b\nlink\n");
    for (const std::size_t size : {1u, 7u, 511u, 512u, 513u, 5632u})
      CHECK((pack_all(plan_of(""), files, size).bytes == whole.bytes));
    CHECK(files.open_handles == 0);
  }

  TEST_CASE("a second name of a file is a hard link, for a file of the same device only") {
    memory_disk files;
    for (const char* name : {"a", "b", "c"}) {
      auto& node = files.file(name, "text");
      node.attributes.inode = 5;
      node.attributes.links = 2;
      node.capability = std::string("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    }
    files.root.children["c"].attributes.device = 9;
    bool ended = false;
    const auto items = read_tar(pack_all(plan_of(""), files).bytes, ended);
    REQUIRE(items.size() == 3);
    CHECK(items[0].type == '0');
    CHECK(items[1].type == '1');
    CHECK(items[1].link == "a");
    CHECK(items[1].text.empty());
    CHECK(items[2].type == '0');
    CHECK(items[2].text == "text");
  }

  TEST_CASE("each call on the disk that fails ends the packing with the path and the reason") {
    struct {
      const char* what;
      const char* path;
      int number;
      errc code;
      const char* words;
    } const faults[] = {
        {"enter", "", EACCES, errc::unreadable_file, "the context's directory: Permission denied"},
        {"list", "", EIO, errc::unreadable_file, "the context's directory: Input/output error"},
        {"enter", "d", EACCES, errc::unreadable_file, "d: Permission denied"},
        {"enter", "d", ENOENT, errc::file_changed, "d: vanished while the context was packed"},
        {"enter", "d", ENOTDIR, errc::file_changed, "d: was replaced while the context was packed"},
        {"list", "d", EIO, errc::unreadable_file, "d: Input/output error"},
        {"look", "d/f", ENOENT, errc::file_changed, "d/f: vanished while the context was packed"},
        {"open", "d/f", EACCES, errc::unreadable_file, "d/f: Permission denied"},
        {"open", "d/f", ENOENT, errc::file_changed, "d/f: vanished while the context was packed"},
        {"open", "d/f", ELOOP, errc::file_changed, "d/f: was replaced while the context was packed"},
        {"capability", "d/f", EPERM, errc::unreadable_file, "d/f: Operation not permitted"},
        {"read", "d/f", EIO, errc::unreadable_file, "d/f: Input/output error"},
        {"link", "d/l", EACCES, errc::unreadable_file, "d/l: Permission denied"},
    };
    for (const auto& expected : faults) {
      CAPTURE(expected.words);
      memory_disk files;
      files.file("d/f", std::string(3000, 'x'));
      files.other("d/l", file_kind::symlink, "f");
      files.fault = [&](std::string_view what, const std::string& path) {
        return what == expected.what && path == expected.path ? expected.number : 0;
      };
      const outcome packed = pack_all(plan_of(""), files);
      CHECK(packed.code == expected.code);
      CHECK(packed.why == expected.words);
      CHECK(files.open_handles == 0);
    }
  }

  TEST_CASE("a file that grows or shrinks while it is read is noticed, at any place") {
    for (const std::size_t size : {0u, 1u, 999u, 2560u, 4096u}) {
      for (const std::size_t block : {512u, 1000u, 8192u}) {
        for (const int change : {+1, -1}) {
          if (size == 0 && change < 0) continue;
          CAPTURE(size);
          memory_disk files;
          auto& node = files.file("f", std::string(size, 'x'));
          // After the header was made of what it was.
          files.fault = [&](std::string_view what, const std::string&) {
            if (what == "read") node.text.resize(size + static_cast<std::size_t>(change), 'y');
            return 0;
          };
          const outcome packed = pack_all(plan_of(""), files, block);
          CHECK(packed.code == errc::file_changed);
          CHECK(packed.why == std::string("f: ") + (change > 0 ? "grew" : "shrank") + " while it was packed");
        }
      }
    }
  }

  TEST_CASE("a file that is written over in place while it is read is noticed") {
    for (const std::size_t size : {1u, 512u, 3000u}) {
      memory_disk files;
      auto& node = files.file("f", std::string(size, 'x'));
      files.fault = [&](std::string_view what, const std::string&) {
        if (what == "read") ++node.attributes.mtime_nanoseconds;
        return 0;
      };
      const outcome packed = pack_all(plan_of(""), files, 512);
      CHECK(packed.code == errc::file_changed);
      CHECK(packed.why == "f: changed while it was packed");
    }
  }

  TEST_CASE("a file that became something else between two looks is not opened as a file") {
    memory_disk files;
    auto& node = files.file("f", "text");
    files.fault = [&](std::string_view what, const std::string&) {
      if (what == "open") node.attributes.kind = file_kind::fifo;
      return 0;
    };
    const outcome packed = pack_all(plan_of(""), files);
    CHECK(packed.code == errc::file_changed);
    CHECK(packed.why == "f: was replaced while the context was packed");
  }

  TEST_CASE("an ignored directory is not entered, nor is anything ignored looked at") {
    memory_disk files;
    for (int i = 0; i < 100; ++i) {
      const std::string number = std::to_string(i);
      files.file("node_modules/" + number + "/file", "x");
      files.file("src/" + number, "x");
      files.file("src/" + number + ".log", "x");
    }
    std::set<std::string> asked;
    files.fault = [&](std::string_view, const std::string& path) {
      asked.insert(path);
      return 0;
    };
    for (const ignore_mode mode : {ignore_mode::classic, ignore_mode::buildkit}) {
      files.entered.clear();
      asked.clear();
      // An exception elsewhere is no reason to enter.
      const outcome packed = pack_all(plan_of("node_modules\n**/*.log\n!src/7.log\n", mode), files);
      CHECK(!packed.code);
      CHECK(files.entered == std::vector<std::string>{"", "src"});
      CHECK(asked.count("src/7.log") == 1);
      CHECK(asked.count("src/8.log") == 0);
    }
  }

  TEST_CASE("the modes differ about exceptions with wildcards, and say so") {
    memory_disk files;
    files.file("a/x.txt", "x");
    files.file("a/x.log", "x");
    const std::string_view rules = "a\n!**/*.txt\n";
    const outcome buildkit = pack_all(plan_of(rules), files);
    CHECK(names_in(buildkit) == "a/\na/x.txt\n");
    CHECK(
        buildkit.warnings ==
        std::vector<std::string>{".dockerignore: a/x.txt is sent, but with the classic builder's reading of "
                                 "the exceptions it would not be"});
    const outcome classic = pack_all(plan_of(rules, ignore_mode::classic), files);
    CHECK(names_in(classic).empty());
    CHECK(classic.warnings ==
          std::vector<std::string>{".dockerignore: a/x.txt is not sent, but with BuildKit's reading of the "
                                   "exceptions it would be"});
    // What only the other mode would enter may be unreadable, and so may what is ignored.
    for (const int reason : {EACCES, EIO}) {
      files.fault = [reason](std::string_view what, const std::string& path) {
        return what == "enter" && path == "a" ? reason : 0;
      };
      CHECK(!pack_all(plan_of(rules, ignore_mode::classic), files).code);
      const outcome unread = pack_all(plan_of(rules), files);
      CHECK(unread.code == (reason == EACCES ? error_code() : error_code(errc::unreadable_file)));
      CHECK(pack_all(plan_of("b\n!**/*.txt\n"), files).code == errc::unreadable_file);
    }
    files.fault = nullptr;
    CHECK(pack_all(plan_of("a\n!a/x.txt\n"), files).warnings.empty());
    CHECK(pack_all(plan_of("a\n!a/x.txt\n", ignore_mode::classic), files).warnings.empty());
  }

  TEST_CASE("sockets are skipped with a warning, a great many with a last one") {
    memory_disk files;
    files.other("s", file_kind::socket);
    CHECK(pack_all(plan_of(""), files).warnings ==
          std::vector<std::string>{"s was skipped: a socket cannot be sent"});
    for (int i = 0; i < 500; ++i) files.other("sockets/" + std::to_string(i), file_kind::socket);
    const auto warnings = pack_all(plan_of(""), files).warnings;
    CHECK(warnings.size() == 100);
    CHECK(warnings.back() == "more files were skipped; only the first are named");
  }

  TEST_CASE("reproducible: owners, times and what the umask decides are left out") {
    memory_disk files;
    auto& plain = files.file("d/plain", "x", 0600);
    plain.attributes.mtime = 77;
    plain.attributes.uid = 1000;
    files.file("d/run", "x", 0710);
    files.file("d/setuid", "x", 04711);
    files.root.children["d"].attributes.mode = 0700;
    packing_rules rules;
    rules.fixed_time = 1700000000;
    bool ended = false;
    const auto items = read_tar(pack_all(plan_of(""), files, 4096, rules).bytes, ended);
    REQUIRE(items.size() == 4);
    CHECK(items[0].mode == 0755);
    CHECK(items[1].mode == 0644);
    CHECK(items[2].mode == 0755);
    CHECK(items[3].mode == 04755);
    for (const auto& item : items) CHECK(item.mtime == 1700000000);
  }

  TEST_CASE("overlaid files take a place or come last") {
    memory_disk files;
    files.file(".dockerignore", "*\n");
    files.file("z", "x");
    tree_plan plan = plan_of("*\n");
    plan.always = {".dockerfile.1", ".dockerignore"};
    plan.overlay = {{".dockerfile.1", "FROM scratch\n"}, {".dockerignore", "*\n\n.dockerfile.1\n"}};
    bool ended = false;
    const auto items = read_tar(pack_all(plan, files).bytes, ended);
    REQUIRE(items.size() == 2);
    CHECK(items[0].name == ".dockerignore");
    CHECK(items[0].text == "*\n\n.dockerfile.1\n");
    CHECK(items[0].mode == 0644);
    CHECK(items[1].name == ".dockerfile.1");
    CHECK(items[1].text == "FROM scratch\n");
    CHECK(items[1].mode == 0600);
    CHECK(ended);
  }

  TEST_CASE("an overlaid file takes the place of a directory or a socket, and obeys rules it is not above") {
    memory_disk files;
    files.file("a/b", "x");
    files.file("c", "x");
    files.other("s", file_kind::socket);
    tree_plan plan = plan_of("*.log\n");
    plan.always = {"a", "s"};
    plan.overlay = {{"s", "over s"}, {"x.log", "ruled out"}, {"a", "over a"}};
    bool ended = false;
    const auto items = read_tar(pack_all(plan, files).bytes, ended);
    REQUIRE(items.size() == 3);
    CHECK(items[0].name == "a");
    CHECK(items[0].text == "over a");
    CHECK(items[1].name == "c");
    CHECK(items[2].name == "s");
    CHECK(items[2].text == "over s");
    CHECK(ended);
  }

  TEST_CASE("a tree deeper than there are descriptors, with files on both sides of each folder") {
    memory_disk files;
    std::string path;
    std::string expected;
    std::string after;
    for (int i = 0; i < 500; ++i) {
      files.file(path + "a", "x");
      files.file(path + "z", "x");
      expected += path + "a\n" + path + "d/\n";
      after = path + "z\n" + after;
      path += "d/";
    }
    files.file(path + "end", "x");
    int most = 0;
    files.fault = [&](std::string_view, const std::string&) {
      most = std::max(most, files.open_handles);
      return 0;
    };
    const outcome packed = pack_all(plan_of(""), files, 1 << 20);
    REQUIRE_MESSAGE(!packed.code, packed.why);
    CHECK(names_in(packed) == expected + path + "end\n" + after);
    CHECK(most < 80);
    CHECK(files.open_handles == 0);
    CHECK(files.entered.size() < 500 + 500 * 10);

    // A folder far above that was exchanged meanwhile is noticed on the way back.
    files.fault = [&](std::string_view what, const std::string& at) {
      if (what == "open" && at == path + "end") files.root.children["d"].attributes.inode = 99999;
      return 0;
    };
    const outcome exchanged = pack_all(plan_of(""), files, 1 << 20);
    CHECK(exchanged.code == errc::file_changed);
    CHECK(exchanged.why == "d: was replaced while the context was packed");
  }

  TEST_CASE("stop() ends it between two files and between two reads") {
    for (const char* at : {"look", "read"}) {
      memory_disk files;
      for (int i = 0; i < 10; ++i) files.file("f" + std::to_string(i), std::string(1000, 'x'));
      const tree_plan plan = plan_of("");
      tar_packer packer(plan, {}, files);
      int asked = 0;
      files.fault = [&](std::string_view what, const std::string&) {
        if (what == at && ++asked == 3) packer.stop();
        return 0;
      };
      std::string block(1 << 20, '\0');
      const auto count = packer.fill(block);
      CHECK(count.has_error());
      CHECK(count.error() == boost::asio::error::operation_aborted);
      CHECK(asked == 3);
    }
  }

  TEST_CASE("stop() ends it while a large directory is listed") {
    memory_disk files;
    for (int i = 0; i < 10'000; ++i) files.file("large/" + std::to_string(i), "");
    const tree_plan plan = plan_of("");
    tar_packer packer(plan, {}, files);
    int asked = 0;
    files.fault = [&](std::string_view what, const std::string& path) {
      if (what == "list" && path == "large") packer.stop();
      if (what == "open") ++asked;
      return 0;
    };
    std::string block(1 << 20, '\0');
    const auto count = packer.fill(block);
    CHECK(count.has_error());
    CHECK(count.error() == boost::asio::error::operation_aborted);
    CHECK(packer.why().empty());
    CHECK(asked == 0);
  }
}

}  // namespace dockline::archive
