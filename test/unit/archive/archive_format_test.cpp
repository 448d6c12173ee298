#include "dockline/archive/archive_format.hpp"

#include "archive/tar.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::archive {

TEST_SUITE("archive/archive_format") {
  TEST_CASE("compressed archives are known by their first bytes") {
    CHECK(detect_archive("\x1F\x8B\x08rest") == archive_format::gzip);
    CHECK(detect_archive("BZh91AY") == archive_format::bzip2);
    CHECK(detect_archive(std::string("\xFD"
                                     "7zXZ\0\0",
                                     7)) == archive_format::xz);
    CHECK(detect_archive("\x28\xB5\x2F\xFD") == archive_format::zstd);
    CHECK(detect_archive(std::string("\x5A\x2A\x4D\x18\0\0\0\0", 8)) == archive_format::zstd);
    CHECK(detect_archive("\x1F\x8B") == archive_format::none);
  }

  TEST_CASE("a tar is known by a right checksum only") {
    std::string out;
    tar_header header;
    header.name = "caf\xC3\xA9";
    header.mtime = 1700000000;
    append_tar_header(out, header);
    CHECK(detect_archive(out) == archive_format::tar);
    CHECK(detect_archive(out.substr(0, 511)) == archive_format::none);
    out[0] = 'x';
    CHECK(detect_archive(out) == archive_format::none);
    CHECK(detect_archive(std::string(1024, '\0')) == archive_format::none);
  }

  TEST_CASE("a Dockerfile is none of them") {
    CHECK(detect_archive("") == archive_format::none);
    CHECK(detect_archive("FROM scratch\n" + std::string(1024, ' ')) == archive_format::none);
    CHECK(detect_archive("# " + std::string(1024, '0')) == archive_format::none);
  }
}

}  // namespace dockline::archive
