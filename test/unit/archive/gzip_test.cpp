#include "archive/deflate.hpp"
#include "context_helpers.hpp"
#include "scratch_tree.hpp"
#include "support/gunzip.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace dockline::archive {
namespace {

using test::gunzip;

std::string words(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 500) + (random() % 9 ? " " : "\n");
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

}  // namespace

TEST_SUITE("archive/gzip") {
  TEST_CASE("blocks that were deflated apart are one stream") {
    for (const auto make : {&make_block_deflater, &make_zlib_deflater}) {
      for (int level = 1; level <= 9; ++level) {
        CAPTURE(level);
        const auto deflater = make(level);
        const std::string plain = words(300000, 1) + noise(100000) + words(50000, 1);
        std::string packed;
        std::uint32_t checksum = 0;
        for (std::size_t at = 0; at < plain.size(); at += 100000) {
          const std::string block = plain.substr(at, 100000);
          const std::size_t from = at > deflate_window ? at - deflate_window : 0;
          deflater->deflate(block, std::span(plain).subspan(from, at - from), at + 100000 >= plain.size(),
                            packed);
          checksum = joined_checksum(checksum, deflater->checksum(block), block.size());
        }
        CHECK((gunzip(packed, true) == plain));
        CHECK(checksum == ::crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size()));
        // What precedes a block is referred to: the same words cost next to nothing a second time.
        std::string again;
        deflater->deflate(std::span(plain).first(20000), std::span(plain).first(20000), true, again);
        CHECK(again.size() < 2000);
      }
    }
  }

  TEST_CASE("a block of nothing ends a stream too") {
    for (const auto make : {&make_block_deflater, &make_zlib_deflater}) {
      std::string packed;
      make(1)->deflate({}, {}, true, packed);
      CHECK(gunzip(packed, true).empty());
    }
  }

  TEST_CASE("a gzip context is the plain one, compressed, whatever the sizes of tree and reads") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file("noise", noise(300000));
    for (const std::size_t size : {0u, 1u, 200000u, 3000000u}) {
      CAPTURE(size);
      tree.file("words", words(size, 2));
      context_options options;
      options.directory = tree.root();
      const std::string plain = pack(options).bytes;
      options.compress = compression::gzip;
      for (const int level : {1, 2, 3, 6, 9}) {
        options.compression_level = level;
        auto opened = open(options);
        REQUIRE(!opened.code);
        const std::string packed = drain(*opened.context.pack(), 1 << 18).bytes;
        CHECK(packed.substr(0, 10) == std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10));
        CHECK((gunzip(packed) == plain));
        if (level == 1) CHECK((drain(*opened.context.pack(), 4099).bytes == packed));
      }
    }
  }

  TEST_CASE("a tar that fills its blocks to the last byte ends as well") {
    // 3 headers, 2 files and the trailer: one block and two.
    for (const std::size_t blocks : {1024u, 2048u}) {
      const scratch_tree tree;
      tree.file("Dockerfile", "FROM scratch\n");
      tree.file("filler", std::string((blocks - 5) * 512, 'x'));
      context_options options;
      options.directory = tree.root();
      const std::string plain = pack(options).bytes;
      REQUIRE(plain.size() == blocks * 512);
      options.compress = compression::gzip;
      CHECK((gunzip(pack(options).bytes) == plain));
    }
  }

  TEST_CASE("a level that gzip does not have is refused") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    context_options options;
    options.directory = tree.root();
    options.compress = compression::gzip;
    options.compression_level = 10;
    CHECK(open(options).code == errc::invalid_argument);
  }
}

}  // namespace dockline::archive
