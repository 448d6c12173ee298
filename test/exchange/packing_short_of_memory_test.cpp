// A context that is walked, hashed and packed by the threads of its pool while one allocation, of any thread, fails.

#include "dockline/archive/build_context.hpp"
#include "dockline/archive/content_hash.hpp"

#include "exchange/operation_loop.hpp"
#include "support/failing_memory.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/bind_executor.hpp>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace dockline::test {
namespace {

struct packing_end {
  packing_end() = default;

  error_code code;
  bool over = false;    // an error, or all of it
  bool thrown = false;  // std::bad_alloc, by a function that starts something or out of the loop
  bool failed = false;  // there were as many allocations
  std::string hash;
  std::uint64_t bytes = 0;
};

class packing {
 public:
  explicit packing(archive::context_options what) : what_(std::move(what)) {}

  void start() {
    archive::async_open_context(loop_.get_executor(), what_, why_,
                                [this](error_code code, archive::build_context made) {
                                  if (code) return finish(code);
                                  context_ = std::move(made);
                                  hash();
                                });
  }
  packing_end run(long before) {
    {
      const failing_allocation one(before, threads::all);
      try {
        start();
        loop_.run_for(patience);
      } catch (const std::bad_alloc&) {
        end_.thrown = true;
      }
      end_.failed = one.happened();
    }
    loop_.restart();
    loop_.run_for(patience);
    CHECK(loop_.stopped());
    return end_;
  }

 private:
  void hash() {
    archive::async_content_hash(loop_.get_executor(), context_, why_,
                                [this](error_code code, std::string hash) {
                                  if (code) return finish(code);
                                  end_.hash = std::move(hash);
                                  source_ = context_.pack(end_.hash);
                                  source_->reads_complete_on(loop_.get_executor());
                                  block_ = std::make_unique<std::string>(std::size_t{64} << 10, '\0');
                                  read();
                                });
  }
  void read() {
    source_->async_read_some(
        asio::buffer(*block_),
        asio::bind_executor(loop_.get_executor(), [this](error_code code, std::size_t size) {
          if (code || size == 0) return finish(code);
          end_.bytes += size;
          read();
        }));
  }
  void finish(error_code code) {
    CHECK(!end_.over);
    end_.over = true;
    end_.code = code;
  }

  archive::context_options what_;
  packing_end end_;
  diagnostics why_;
  asio::io_context loop_;
  archive::build_context context_;
  std::unique_ptr<std::string> block_;
  std::unique_ptr<byte_source> source_;
};

}  // namespace

TEST_SUITE("exchange/packing short of memory") {
  TEST_CASE(
      "each allocation fails, in whichever thread: it ends with that error, and the next packing is whole") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    const archive::scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file(".dockerignore", "*.o\n!keep/*.o\n");
    for (const char* name : {"a/b/c.txt", "a/b/d.o", "keep/e.o", "f"})
      tree.file(name, std::string(3000, 'x'));
    // More than one block of what is compressed at the same time.
    std::string large(std::size_t{1} << 20, '\0');
    std::uint32_t state = 1;
    for (char& letter : large) letter = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    tree.file("large", large);

    for (const auto compress : {archive::compression::none, archive::compression::gzip}) {
      CAPTURE(compress);
      archive::context_options what;
      what.directory = tree.root();
      what.compress = compress;
      what.reproducible = true;
      const packing_end whole = packing(what).run(-1);
      REQUIRE(whole.over);
      REQUIRE(!whole.code);
      int errors = 0;
      bool goes_on = true;
      for (long before = 0; goes_on; ++before) {
        CAPTURE(before);
        const packing_end end = packing(what).run(before);
        goes_on = end.failed;
        CHECK((end.over || end.thrown));
        if (end.code) {
          ++errors;
          CHECK(end.code == boost::system::errc::not_enough_memory);
        } else if (end.over) {
          CHECK(end.hash == whole.hash);
          CHECK(end.bytes == whole.bytes);
        }
        if (!end.failed) CHECK(end.over);
      }
      CHECK(errors > 10);
      const packing_end again = packing(what).run(-1);
      CHECK(!again.code);
      CHECK(again.bytes == whole.bytes);
    }
  }
}

}  // namespace dockline::test
