#include "buildkit/dockerfile_excerpt.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::buildkit {
namespace {

const std::string dockerfile =
    "# syntax=x\n"                                      // 1
    "FROM debian:12 AS Builder\n"                       // 2
    "ENV A=b\n"                                         // 3
    "RUN make \\\n"                                     // 4
    "    # why\n"                                       // 5
    "    all\n"                                         // 6
    "COPY . /x\n"                                       // 7
    "\n"                                                // 8
    "FROM --platform=linux/amd64 127.0.0.1:5000/b:t\n"  // 9
    "RUN <<EOF\n"                                       // 10
    "false\n"                                           // 11
    "EOF\n"                                             // 12
    "run last";                                         // 13

std::string found(std::string_view title) {
  const auto range = lines_of_step(dockerfile, title);
  return range ? std::to_string(range->first) + "-" + std::to_string(range->last) : "none";
}

}  // namespace

TEST_SUITE("buildkit/dockerfile_excerpt") {
  TEST_CASE("a step is found by its stage and its place") {
    struct {
      const char* title;
      const char* lines;
    } const cases[] = {
        {"[builder 1/3] FROM docker.io/library/debian:12", "2-2"},
        {"[builder 2/3] RUN make     all", "4-6"},
        {"[builder 3/3] COPY . /x", "7-7"},
        {"[stage-1 2/3] RUN <<EOF (false)", "10-12"},
        {"[linux/amd64 stage-1 3/3] RUN last", "13-13"},
        {"[2/3] RUN make", "4-6"},
        {"[internal] load metadata for docker.io/library/debian:12", "2-2"},
        {"[internal] load metadata for 127.0.0.1:5000/b:t", "9-9"},
        {"[internal] load metadata for docker.io/library/other:1", "none"},
        {"[builder 2/3] COPY . /x", "none"},
        {"[builder 4/4] RUN make", "none"},
        {"[other 2/3] RUN make", "none"},
        {"exporting to image", "none"},
    };
    for (const auto& expected : cases) {
      CAPTURE(expected.title);
      CHECK(found(expected.title) == expected.lines);
    }
  }

  TEST_CASE(
      "a stage that has no image of its own counts from its first step, and one of many pads the numbers") {
    const std::string staged =
        "FROM busybox AS base\n"  // 1
        "RUN a\n"                 // 2
        "FROM base AS b\n"        // 3
        "RUN a\n"                 // 4
        "RUN false\n"             // 5
        "FROM scratch AS c\n"     // 6
        "COPY x /\n"              // 7
        "RUN a\n"                 // 8
        "FROM $BASE\n"            // 9
        "WORKDIR /w\n"            // 10
        "RUN false\n";            // 11
    const auto line = [&](std::string_view title) {
      const auto range = lines_of_step(staged, title);
      return range ? range->first : 0;
    };
    CHECK(line("[base 1/2] FROM docker.io/library/busybox") == 1);
    CHECK(line("[base 2/2] RUN a") == 2);
    CHECK(line("[b 1/2] RUN a") == 4);
    CHECK(line("[b 2/2] RUN false") == 5);
    CHECK(line("[c 1/2] COPY x /") == 7);
    CHECK(line("[c 2/2] RUN a") == 8);
    CHECK(line("[stage-3 1/3] FROM docker.io/library/alpine") == 9);
    CHECK(line("[stage-3 3/3] RUN false") == 11);
    CHECK(line("[stage-3 2/2] RUN false") == 11);
    // The base's own ONBUILD stands between its FROM and what the stage does.
    CHECK(line("[stage-3  2/12] RUN of the base") == 0);
    CHECK(line("[stage-3 12/12] RUN false") == 11);
    CHECK(line("[b  2/ 2] RUN false") == 0);
    CHECK(line("[c 3/2] RUN a") == 0);
    CHECK(line("[c 2/1] RUN a") == 0);
    CHECK(line("[base  2/2] RUN a") == 2);
    CHECK(line("[b  2/2] RUN false") == 5);
  }

  TEST_CASE("a parser's error has its line") {
    const auto line = [](std::string_view words) {
      const auto range = lines_of_error(dockerfile, words);
      return range ? range->first : 0;
    };
    CHECK(line("dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)") == 2);
    CHECK(
        line("failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse "
             "error line 13: x") == 13);
    CHECK(line("dockerfile parse error on line 14: x") == 0);
    CHECK(line("dockerfile parse error on line 0: x") == 0);
    CHECK(line("dockerfile parse error somewhere") == 0);
    CHECK(line("error on line 2") == 0);
  }

  TEST_CASE("the excerpt marks the lines and has two around them") {
    CHECK(excerpt_of(dockerfile, "Dockerfile", {4, 6}) ==
          "Dockerfile:4\n"
          "--------------------\n"
          "   2 |     FROM debian:12 AS Builder\n"
          "   3 |     ENV A=b\n"
          "   4 | >>> RUN make \\\n"
          "   5 | >>>     # why\n"
          "   6 | >>>     all\n"
          "   7 |     COPY . /x\n"
          "   8 |     \n"
          "--------------------\n");
    CHECK(excerpt_of("FROM a", "D", {1, 1}) ==
          "D:1\n--------------------\n   1 | >>> FROM a\n--------------------\n");
  }
}

}  // namespace dockline::buildkit
