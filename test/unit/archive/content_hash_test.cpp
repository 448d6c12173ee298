#include "dockline/archive/content_hash.hpp"

#include "archive/content_digest.hpp"
#include "context_helpers.hpp"
#include "scratch_tree.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace dockline::archive {
namespace {

namespace asio = boost::asio;

context_options reproducible(const scratch_tree& tree, compression how = compression::none) {
  context_options options;
  options.directory = tree.root();
  options.reproducible = true;
  options.compress = how;
  return options;
}

struct hashed {
  error_code code;
  std::string words;
  std::string digits;
};

hashed hash_of(const build_context& context, bool cancelled = false) {
  hashed out;
  diagnostics why;
  asio::io_context loop;
  asio::cancellation_signal cancel;
  async_content_hash(loop.get_executor(), context, why,
                     asio::bind_cancellation_slot(cancel.slot(), [&](error_code code, std::string digits) {
                       out.code = code;
                       out.digits = std::move(digits);
                     }));
  if (cancelled) cancel.emit(asio::cancellation_type::terminal);
  loop.run();
  out.words = why.client_message();
  return out;
}

}  // namespace

TEST_SUITE("archive/content_hash") {
  TEST_CASE("equal content has an equal hash, wherever it lies and however it is compressed") {
    std::string seen;
    for (const auto how : {compression::none, compression::gzip, compression::none}) {
      const scratch_tree tree;
      tree.file("Dockerfile", "FROM scratch\n", seen.empty() ? 0600 : 0644);
      tree.file("big", std::string(700'000, 'b'));
      const auto opened = open(reproducible(tree, how));
      REQUIRE(!opened.code);
      const auto [code, words, digits] = hash_of(opened.context);
      CHECK(!code);
      CHECK(digits.size() == 64);
      if (!seen.empty()) CHECK(digits == seen);
      seen = digits;
      // It is that of the tar.
      if (how != compression::none) continue;
      const auto packed = opened.context.pack();
      content_digest whole;
      whole.add(drain(*packed).bytes);
      CHECK(whole.finish() == digits);
    }
    const scratch_tree other;
    other.file("Dockerfile", "FROM scratch\n");
    other.file("big", std::string(700'001, 'b'));
    CHECK(hash_of(open(reproducible(other)).context).digits != seen);
  }

  TEST_CASE("what has changed since it was hashed does not pass for it") {
    for (const auto how : {compression::none, compression::gzip}) {
      const scratch_tree tree;
      tree.file("Dockerfile", "FROM scratch\n");
      tree.file("file", "one");
      const auto opened = open(reproducible(tree, how));
      const auto digits = hash_of(opened.context).digits;
      const auto same = opened.context.pack(digits);
      CHECK(!drain(*same).code);
      tree.file("file", "two");
      const auto changed = opened.context.pack(digits);
      const auto packed = drain(*changed);
      CHECK(packed.code == errc::file_changed);
      CHECK(packed.why.find("changed") != std::string::npos);
      tree.file("file", "one");
      const auto again = opened.context.pack(digits);
      CHECK(!drain(*again).code);
    }
  }

  TEST_CASE("whatever the blocks are, the end is checked") {
    const scratch_tree tree;
    // Two headers, a block each, and the trailer: 3,072 bytes.
    tree.file("Dockerfile", "FROM scratch\n");
    const auto opened = open(reproducible(tree));
    const auto digits = hash_of(opened.context).digits;
    for (const std::size_t block : {1U, 511U, 512U, 1024U, 2048U, 3072U, 1536U, 4096U}) {
      const auto right = opened.context.pack(digits);
      CHECK(!drain(*right, block).code);
      const auto wrong = opened.context.pack(std::string(64, '0'));
      CHECK(drain(*wrong, block).code == errc::file_changed);
    }
  }

  TEST_CASE("errors and cancellation are a packing's") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file("file", "x");
    const auto opened = open(reproducible(tree));
    CHECK(hash_of(opened.context, true).code == asio::error::operation_aborted);
    std::filesystem::remove_all(tree.root());
    CHECK(hash_of(opened.context).code);
  }
}

}  // namespace dockline::archive
