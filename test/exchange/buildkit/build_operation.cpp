// Rows of the table of operations: builds with BuildKit.

#include "dockline/buildkit/build.hpp"

#include "exchange/operation_table.hpp"
#include "exchange/success_answers.hpp"

namespace dockline::test {
namespace {

const in_table buildkit_rows{{
    row(
        "buildkit::async_build",
        [](scene& on, auto&&... rest) {
          return buildkit::async_build(on.daemon, on.on.context, buildkit::build_options(), nullptr,
                                       std::forward<decltype(rest)>(rest)...);
        },
        [](const buildkit::build_result& built) { return built.image_id == "sha256:" + told_id; }),
    row(
        "buildkit::async_build_archive",
        [](scene& on, auto&&... rest) {
          return buildkit::async_build_archive(on.daemon, on.on.context.pack(), buildkit::build_options(),
                                               nullptr, std::forward<decltype(rest)>(rest)...);
        },
        [](const buildkit::build_result& built) { return built.image_id == "sha256:" + told_id; }),
}};

}  // namespace
}  // namespace dockline::test
