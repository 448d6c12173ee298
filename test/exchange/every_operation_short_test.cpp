// Every operation of the library in a process that is short of memory, or of descriptors.

#include "exchange/every_operation.hpp"
#include "support/entries_of.hpp"
#include "support/failing_memory.hpp"
#include "support/sanitized.hpp"

#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace dockline::test {
namespace {

struct short_end {
  int completions = 0;
  error_code code;
  bool thrown = false;  // std::bad_alloc, by the function that starts it or out of the loop
  bool failed = false;  // there were as many allocations
};

// The operation while the allocation after `before` others fails.
short_end with_failing_allocation(const operation& what, const stage& where, long before) {
  const auto kept = std::make_shared<int>();
  short_end end;
  {
    asio::io_context context;
    scene on(where, context.get_executor());
    const auto handler = [&end, kept](error_code code) {
      ++end.completions;
      end.code = code;
    };
    {
      const failing_allocation one(before);
      try {
        start(what, on, nullptr, handler);
        context.run_for(patience);
      } catch (const std::bad_alloc&) {
        end.thrown = true;
      }
      end.failed = one.happened();
    }
    if (end.thrown) {
      // What waits for a coroutine that is gone goes with its loop.
      context.restart();
      context.run_for(std::chrono::milliseconds(5));
    } else {
      run_to_end(context);
    }
  }
  CHECK(kept.use_count() == 1);
  return end;
}

// How often that is told.
int fail_each_allocation(const operation& what, const stage& where) {
  CAPTURE(what.name);
  const error_code expected = outcome_of(what, where);
  int errors = 0;
  bool goes_on = true;
  for (long before = 0; goes_on; ++before) {
    CAPTURE(before);
    const short_end end = with_failing_allocation(what, where, before);
    // Asio drops the handler of a coroutine that a wait inside could not be begun for.
    if (end.thrown)
      CHECK(end.completions <= 1);
    else
      CHECK(end.completions == 1);
    const bool told = end.code == boost::system::errc::not_enough_memory;
    if (told) ++errors;
    if (end.completions == 1 && !told) CHECK(end.code == expected);
    if (!end.failed) CHECK(!told);
    goes_on = end.failed;
  }
  return errors;
}

// While it lives, this process may open `more` descriptors and no others.
class few_descriptors {
 public:
  explicit few_descriptors(rlim_t more) {
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(next >= 0);
    ::close(next);
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual_) == 0);
    rlimit few = usual_;
    few.rlim_cur = static_cast<rlim_t>(next) + more;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &usual_); }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

 private:
  rlimit usual_{};
};

}  // namespace

TEST_SUITE("exchange/every operation") {
  TEST_CASE("each allocation of it fails: it ends as it should or with an error, and nothing is kept") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    stage where;
    for (const auto given : {stage::answers::refusals, stage::answers::successes}) {
      CAPTURE(given == stage::answers::successes);
      where.answer_with(given);
      int errors = 0;
      for (const operation& what : all_operations()) errors += fail_each_allocation(what, where);
      CHECK(errors > 200);
    }
  }

  TEST_CASE("no descriptor is left, or a few: it ends as it should or with an error, and none is kept") {
    // The sanitizer for undefined behaviour looks at memory through a pipe, and takes what it cannot see for wrong.
    if (is_sanitized) {
      MESSAGE("skipped: a sanitizer needs descriptors of its own");
      return;
    }
    const std::size_t before = entries_of("/proc/self/fd");
    std::optional<stage> stands(std::in_place);
    const stage& where = *stands;
    int errors = 0;
    for (const operation& what : all_operations()) {
      CAPTURE(what.name);
      const error_code expected = outcome_of(what, where);
      for (const rlim_t more : {0U, 1U, 2U, 3U, 5U}) {
        CAPTURE(more);
        int completions = 0;
        error_code code;
        diagnostics why;
        {
          asio::io_context context;
          const asio::steady_timer first(context);  // a loop has descriptors of its own
          scene on(where, context.get_executor());
          {
            const few_descriptors few(more);
            start(what, on, &why, [&](error_code seen) {
              ++completions;
              code = seen;
            });
            // The daemon is in this process, too, and may have none to answer with.
            context.run_for(std::chrono::milliseconds(20));
          }
          run_to_end(context);
        }
        CHECK(completions == 1);
        // By its code, or, where that says what could not be done, by its words.
        const bool told = code == boost::system::errc::too_many_files_open ||
                          describe(code, why).find("Too many open files") != std::string::npos;
        if (more == 0 && told) ++errors;
        if (!told) CHECK_MESSAGE(code == expected, describe(code, why));
      }
    }
    CHECK(errors > 40);
    stands.reset();
    CHECK(entries_of("/proc/self/fd") == before);
  }
}

}  // namespace dockline::test
