#include "gcp/retry_schedule.hpp"

#include <doctest/doctest.h>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;
using moment = retry_schedule::time;

retry_options options() {
  retry_options some;
  some.first_delay = 1s;
  some.longest_delay = 8s;
  some.budget = 60s;
  return some;
}

}  // namespace

TEST_SUITE("gcp/retry_schedule") {
  TEST_CASE("doubled up to a bound, the half of it by chance") {
    retry_schedule most(options(), [] { return 1.0; });
    retry_schedule least(options(), [] { return 0.0; });
    const moment now;
    for (const auto expected : {1'000ms, 2'000ms, 4'000ms, 8'000ms, 8'000ms}) {
      CHECK(most.failed(now) == expected);
      CHECK(least.failed(now) == expected / 2);
    }
    CHECK(most.failures() == 5);
  }

  TEST_CASE("the budget counts from the first failure, and progress begins it anew") {
    retry_schedule one(options(), [] { return 1.0; });
    const moment start;
    CHECK(one.failed(start) == 1s);
    CHECK(one.failed(start + 58s) == 2s);
    CHECK_FALSE(one.failed(start + 58s));
    one.progressed();
    CHECK(one.failures() == 0);
    CHECK(one.failed(start + 500s) == 1s);
  }

  TEST_CASE("as long as the other side asks for, if the budget holds it") {
    retry_schedule one(options(), [] { return 0.0; });
    const moment start;
    CHECK(one.failed(start, true, 30s) == 30s);
    CHECK_FALSE(one.failed(start, true, 61s));
  }

  TEST_CASE("where nobody is, patience is short") {
    retry_schedule one(options(), [] { return 1.0; });
    const moment start;
    CHECK(one.failed(start, false) == 1s);
    CHECK(one.failed(start + 1s, false) == 2s);
    CHECK(one.failed(start + 3s, false) == 4s);
    CHECK_FALSE(one.failed(start + 7s, false));
  }

  TEST_CASE("what was there once may come back within the budget") {
    const moment start;
    retry_schedule before(
        options(), [] { return 1.0; }, true);
    CHECK(before.failed(start, false) == 1s);
    CHECK(before.failed(start + 50s, false) == 2s);
    CHECK_FALSE(before.failed(start + 60s, false));
    retry_schedule meanwhile(options(), [] { return 1.0; });
    meanwhile.answered();
    CHECK(meanwhile.failed(start, false) == 1s);
    CHECK(meanwhile.failed(start + 50s, false) == 2s);
    retry_schedule after_progress(options(), [] { return 1.0; });
    CHECK(after_progress.failed(start, false) == 1s);
    after_progress.progressed();
    CHECK(after_progress.failed(start + 20s, false) == 1s);
    CHECK(after_progress.failed(start + 50s, false) == 2s);
    retry_schedule after_refusal(options(), [] { return 1.0; });
    CHECK(after_refusal.failed(start) == 1s);
    CHECK(after_refusal.failed(start + 50s, false) == 2s);
  }

  TEST_CASE("a number of attempts") {
    retry_schedule one(options(), [] { return 1.0; });
    one.limit_attempts(3);
    const moment now;
    CHECK(one.failed(now));
    CHECK(one.failed(now));
    CHECK_FALSE(one.failed(now));
  }

  TEST_CASE("Retry-After") {
    CHECK(read_retry_after("3") == 3s);
    CHECK(read_retry_after("0") == 0s);
    CHECK(read_retry_after("") == 0s);
    CHECK(read_retry_after("-1") == 0s);
    CHECK(read_retry_after("Wed, 25 Nov 2026 14:19:17 GMT") == 0s);
    CHECK(read_retry_after("999999999") == 24h);
    CHECK(read_retry_after("99999999999999") == 0s);
  }
}

}  // namespace dockline::gcp
