#include "archive/given_archive.hpp"

#include "dockline/core/diagnostics.hpp"

#include "context_helpers.hpp"
#include "scratch_tree.hpp"
#include "support/gunzip.hpp"
#include "support/text_source.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace dockline::archive {
namespace {

struct given {
  error_code code;
  archive_format format = archive_format::none;
  std::string bytes;
  std::string why;
  bool sized = false;
};

given give(std::string text, std::size_t piece, std::size_t block_size, bool stored, error_code end = {}) {
  asio::io_context loop;
  auto bytes = std::make_shared<test::text_source>(loop.get_executor(), std::move(text), piece, end);
  auto whole = std::make_shared<given_archive>(loop.get_executor(), std::move(bytes));
  given seen;
  spawn<archive_format>(loop.get_executor(), nullptr,
                        completion_handler<archive_format>([&](error_code code, archive_format format) {
                          seen.code = code;
                          seen.format = format;
                        }),
                        [whole](diagnostics&) { return whole->look(); });
  loop.run();
  loop.restart();
  if (!seen.code && stored) whole->store_as_gzip();
  seen.sized = whole->size().has_value();
  std::string block(block_size, '\0');
  for (std::size_t more = 1; more > 0 && !seen.code;) {
    whole->async_read_some(asio::buffer(block),
                           asio::bind_executor(loop.get_executor(), [&](error_code code, std::size_t size) {
                             seen.code = code;
                             more = size;
                             seen.bytes.append(block, 0, size);
                           }));
    loop.run();
    loop.restart();
  }
  seen.why = whole->why().client_message();
  return seen;
}

std::string small_tar() {
  scratch_tree tree;
  tree.file("Dockerfile", "FROM scratch\n");
  tree.file("big", std::string(700'000, 'b'));
  context_options options;
  options.directory = tree.root();
  options.compress = compression::none;
  return pack(options).bytes;
}

}  // namespace

TEST_SUITE("archive/given_archive") {
  TEST_CASE("what is passed on is what was given, whatever the pieces") {
    const std::string tar = small_tar();
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{10'000}, std::size_t{700}}) {
      for (const std::size_t block : {std::size_t{1} << 18, std::size_t{999}}) {
        const given seen = give(tar, piece, block, false);
        CHECK(seen.code == error_code());
        CHECK(seen.format == archive_format::tar);
        CHECK((seen.bytes == tar));
        CHECK(seen.sized);
        const given packed = give(tar, piece, block, true);
        CHECK(packed.code == error_code());
        CHECK(!packed.sized);
        CHECK(detect_archive(packed.bytes) == archive_format::gzip);
        CHECK((test::gunzip(packed.bytes) == tar));
      }
    }
  }

  TEST_CASE("less than what tells archives apart") {
    for (const std::string text : {"", "FROM scratch\n"}) {
      const given seen = give(text, 5, 100, false);
      CHECK(seen.format == archive_format::none);
      CHECK(seen.bytes == text);
      CHECK(test::gunzip(give(text, 5, 100, true).bytes) == text);
    }
  }

  TEST_CASE("an error of the bytes is told with their words, before and after it is known what they are") {
    for (const std::size_t size : {std::size_t{100}, std::size_t{5'000}}) {
      for (const bool stored : {false, true}) {
        const given seen =
            give(small_tar().substr(0, size), 64, 4'096, stored, make_error_code(errc::unreadable_file));
        CHECK(seen.code == errc::unreadable_file);
        CHECK(seen.why == "the words of the bytes");
      }
    }
  }
}

}  // namespace dockline::archive
