#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

namespace dockline {

TEST_SUITE("core/diagnostics") {
  TEST_CASE("a failed step is one line in one form, what is unknown left out") {
    diagnostics why;
    failed_step step;
    step.index = 3;
    step.total = 7;
    step.instruction = "RUN make";
    step.exit_code = 2;
    step.reason = "it said no";
    why.set_step(step);
    CHECK(describe(errc::build_failed, why) == "step 3/7 RUN make: exit code 2: it said no");
    step.total = 0;
    step.exit_code.reset();
    why.set_step(step);
    CHECK(describe(errc::build_failed, why) == "step 3 RUN make: it said no");
    step.index = 0;
    step.instruction.clear();
    why.set_step(step);
    CHECK(describe(errc::build_failed, why) == "it said no");
  }

  TEST_CASE("our words come before those of the other side; with neither, the code speaks") {
    diagnostics why;
    CHECK(describe(errc::not_found, why) == "not found");
    why.set_server_message("No such image: x");
    CHECK(describe(errc::not_found, why) == "No such image: x");
    why.set_client_message("inspect x");
    CHECK(describe(errc::not_found, why) == "inspect x: No such image: x");
    why.clear();
    CHECK(why.empty());
  }

  TEST_CASE("the exception says what the daemon said") {
    diagnostics why;
    why.set_server_message("No such image: x");
    const error_with_diagnostics thrown(errc::not_found, why);
    CHECK(std::string(thrown.what()) == "No such image: x");
    CHECK(thrown.code() == condition::not_found);
    CHECK(thrown.why().server_message() == "No such image: x");
  }
}

}  // namespace dockline
