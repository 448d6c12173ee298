#include "archive/tar.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::archive {
namespace {

std::string header_of(const tar_header& header) {
  std::string out;
  append_tar_header(out, header);
  CHECK(out.size() % 512 == 0);
  return out;
}

std::string field(const std::string& bytes, std::size_t offset, std::size_t size) {
  return bytes.substr(offset, size);
}

std::string text(const std::string& bytes, std::size_t offset, std::size_t size) {
  return field(bytes, offset, size).c_str();
}

tar_header named(std::string_view name) {
  tar_header header;
  header.name = name;
  header.mode = 0644;
  if (name.ends_with('/')) header.type = tar_type::directory;
  return header;
}

}  // namespace

TEST_SUITE("archive/tar") {
  TEST_CASE("a plain header, byte for byte") {
    tar_header header = named("dir/file");
    header.mode = 04755;
    header.size = 1234;
    header.mtime = 1700000000;
    const std::string out = header_of(header);
    REQUIRE(out.size() == 512);
    std::string expected(512, '\0');
    const auto put = [&](std::size_t at, std::string_view bytes) {
      expected.replace(at, bytes.size(), bytes);
    };
    put(0, "dir/file");
    put(100, "0004755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, "00000002322");
    put(136, "14524770400");
    put(148, "        ");
    put(156, "0");
    put(257, std::string_view("ustar\00000", 8));
    put(329, "0000000");
    put(337, "0000000");
    unsigned sum = 0;
    for (const char c : expected) sum += static_cast<unsigned char>(c);
    char checksum[9];
    std::snprintf(checksum, sizeof(checksum), "%06o", sum);
    put(148, std::string_view(checksum, 7));
    CHECK((out == expected));
    CHECK(out[155] == ' ');
  }

  TEST_CASE("names at every boundary of the split") {
    struct {
      std::string name;
      bool plain;  // one block
      std::string prefix;
      std::string rest;
    } const cases[] = {
        {std::string(100, 'n'), true, "", std::string(100, 'n')},
        {std::string(101, 'n'), false, "", std::string(100, 'n')},
        {std::string(155, 'p') + "/" + std::string(100, 'n'), true, std::string(155, 'p'),
         std::string(100, 'n')},
        {std::string(156, 'p') + "/" + std::string(100, 'n'), false, "", std::string(100, 'p')},
        {std::string(155, 'p') + "/" + std::string(101, 'n'), false, "", std::string(100, 'p')},
        {"p/" + std::string(99, 'n'), true, "p", std::string(99, 'n')},
        {"p/" + std::string(100, 'n'), true, "p", std::string(100, 'n')},
        {"p/" + std::string(101, 'n'), false, "", "p/" + std::string(98, 'n')},
        // The last slash of a directory is not where it is cut.
        {std::string(99, 'd') + "/", true, "", std::string(99, 'd') + "/"},
        {std::string(100, 'd') + "/", false, "", std::string(100, 'd')},
        {"p/" + std::string(99, 'd') + "/", true, "p", std::string(99, 'd') + "/"},
        {"p/" + std::string(100, 'd') + "/", false, "", "p/" + std::string(98, 'd')},
        {std::string(155, 'p') + "/" + std::string(99, 'd') + "/", true, std::string(155, 'p'),
         std::string(99, 'd') + "/"},
        // Cut exactly at a slash, a name loses it.
        {std::string(99, 'a') + "/" + std::string(101, 'b'), false, "", std::string(99, 'a')},
    };
    for (const auto& test : cases) {
      CAPTURE(test.name);
      const std::string out = header_of(named(test.name));
      const std::string head = out.substr(out.size() - 512);
      CHECK((out.size() == 512) == test.plain);
      CHECK(text(head, 345, 155) == test.prefix);
      CHECK(text(head, 0, 100) == test.rest);
      if (test.plain) continue;
      CHECK(out[156] == 'x');
      const std::string record = " path=" + test.name + "\n";
      CHECK(text(out, 512, out.size() - 1024).find(record) != std::string::npos);
    }
  }

  TEST_CASE("a PAX header: its name, its fields, its records in order and with their length") {
    const std::string name = "d\xC3\xA9p/" + std::string(97, 'x') + "/f\xFFile";
    tar_header header = named(name);
    const std::string link(101, 'l');
    header.type = tar_type::symlink;
    header.link = link;
    header.size = 8589934592;
    header.mtime = -5;
    header.uid = 2097152;
    header.capability = "raw";
    const std::string out = header_of(header);
    CHECK(text(out, 0, 100) == ("dp/" + std::string(97, 'x')));
    CHECK(out[156] == 'x');
    CHECK(field(out, 329, 16) == std::string(16, '\0'));
    CHECK(text(out, 100, 8) == "0000000");
    CHECK(text(out, 136, 12) == "00000000000");
    const std::string records = text(out, 512, out.size() - 1024);
    CHECK(records == "40 SCHILY.xattr.security.capability=raw\n" + std::string("115 linkpath=") + link +
                         "\n12 mtime=-5\n118 path=" + name + "\n19 size=8589934592\n15 uid=2097152\n");
    CHECK(std::stoul(text(out, 124, 12), nullptr, 8) == records.size());
    const std::string head = out.substr(out.size() - 512);
    CHECK(text(head, 124, 12) == "00000000000");
    CHECK(text(head, 136, 12) == "00000000000");
    CHECK(text(head, 108, 8) == "0000000");
    CHECK(text(head, 157, 100) == std::string(100, 'l'));
    CHECK(text(head, 329, 8) == "0000000");
  }

  TEST_CASE("the length of a record counts its own digits") {
    // A name of 90 bytes makes a record of 99, one of 91 a record of 101.
    for (const auto& [length, start] :
         {std::pair<std::size_t, const char*>{89, "98 path="}, {90, "99 path="}, {91, "101 path="}}) {
      const std::string name = "\xC3\xA9" + std::string(length - 2, 'n');
      CHECK(header_of(named(name)).substr(512).starts_with(start));
    }
  }

  TEST_CASE("the largest numbers that fit, and the first that do not") {
    tar_header header = named("f");
    header.size = 8589934591;
    header.mtime = 8589934591;
    CHECK(header_of(header).size() == 512);
    header.size = 8589934592;
    CHECK(header_of(header).size() == 1536);
    header.size = 0;
    header.mtime = 8589934592;
    CHECK(text(header_of(header), 512, 512) == "20 mtime=8589934592\n");
  }

  TEST_CASE("a long name is told by the PAX header once there is one, also where it could be split") {
    const std::string name = "p/" + std::string(100, 'n');
    tar_header header = named(name);
    header.mtime = -1;
    const std::string out = header_of(header);
    CHECK(text(out, 512, 512) == "12 mtime=-1\n112 path=" + name + "\n");
    CHECK(text(out, 1024 + 345, 155).empty());
  }

  TEST_CASE("a capability for a user namespace becomes the plain kind") {
    tar_header header = named("f");
    header.capability = std::string_view("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\x27\0\0", 24);
    const std::string out = header_of(header);
    const std::string value("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    CHECK(out.substr(512, 57) == "57 SCHILY.xattr.security.capability=" + value + "\n");
  }

  TEST_CASE("devices have their numbers") {
    tar_header header = named("null");
    header.type = tar_type::character_device;
    header.major = 1;
    header.minor = 300;
    const std::string out = header_of(header);
    CHECK(out[156] == '3');
    CHECK(text(out, 329, 8) == "0000001");
    CHECK(text(out, 337, 8) == "0000454");
  }
}

}  // namespace dockline::archive
