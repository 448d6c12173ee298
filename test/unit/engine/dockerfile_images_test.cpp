#include "dockline/engine/dockerfile_images.hpp"

#include <doctest/doctest.h>

namespace dockline::engine {
namespace {

using names = std::vector<std::string>;

names images(std::string_view text, const build_options& options = {}) {
  return images_of_dockerfile(text, options);
}

}  // namespace

TEST_SUITE("engine/dockerfile_images") {
  TEST_CASE("FROM, with its flags and in any letters") {
    CHECK(images("FROM a\n") == names{"a"});
    CHECK(images("from a") == names{"a"});
    CHECK(images("\xef\xbb\xbf  FROM\t r:1/a:2 \r\n") == names{"r:1/a:2"});
    CHECK(images("FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/arm64 b as y") ==
          names{"a", "b"});
    CHECK(images("FROM a@sha256:0123\nFROM a@sha256:0123") == names{"a@sha256:0123"});
    CHECK(images("FROM scratch\nFROM SCRATCH").empty());
    CHECK(images("").empty());
    CHECK(images("FROM\nFROM --platform=x\nFROMM a\nRUN echo FROM b").empty());
  }

  TEST_CASE("stages are no images") {
    CHECK(images("FROM a AS Base\nFROM base\nFROM BASE AS two\nCOPY --from=two / /\nCOPY --from=0 / /\n"
                 "COPY --from=7 / /") == names{"a"});
    // A name that a later stage has is an image still.
    CHECK(images("FROM later AS a\nFROM x AS later") == names{"later", "x"});
  }

  TEST_CASE("COPY --from and RUN --mount=from") {
    CHECK(images("FROM a\nCOPY --from=r:1/b /x /y\ncopy --chown=1 --from=\"c\" . .\nCOPY x --from=d y\n"
                 "ADD --from=e x y\n") == names{"a", "r:1/b", "c"});
    CHECK(images("FROM a AS s\nRUN --mount=type=bind,from=b,target=/b --mount=from=s --network=none make\n"
                 "RUN make --mount=from=c") == names{"a", "b"});
    CHECK(images("FROM a\nONBUILD COPY --from=b / /") == names{"a"});
    CHECK(images("FROM a\nCOPY --from=$X / /\nCOPY --from= / /") == names{"a"});
  }

  TEST_CASE("ARG before FROM") {
    const std::string_view text =
        "ARG REG=r:1\nARG TAG NAME=\"my app\" \nARG FULL=${REG}/x:${TAG:-one}\nFROM $FULL\nFROM $REG/y\n";
    CHECK(images(text) == names{"r:1/x:one", "r:1/y"});
    build_options options;
    options.build_args = {{"REG", "other:2"}, {"TAG", "3"}, {"UNKNOWN", "x"}};
    // Replaced where they are declared, also in what refers to them.
    CHECK(images(text, options) == names{"other:2/x:3", "other:2/y"});
    options.build_args = {{"REG", std::nullopt}};
    CHECK(images(text, options) == names{"r:1/x:one", "r:1/y"});
    // Not declared, not before FROM.
    options.build_args = {{"A", "a"}};
    CHECK(images("FROM x$A\nARG A=1\nFROM y$A", options) == names{"x", "y"});
  }

  TEST_CASE("every way to write a variable") {
    const auto from = [](std::string_view word) {
      const names found = images("ARG A=v\nARG E=\nARG R=r\nFROM " + std::string(word));
      return found.empty() ? "" : found.front();
    };
    CHECK(from("$A") == "v");
    CHECK(from("${A}x") == "vx");
    CHECK(from("$A/$A") == "v/v");
    CHECK(from("a$") == "a$");
    CHECK(from("${E:-d}") == "d");
    CHECK(from("x${E-d}") == "x");
    CHECK(from("${N-d}") == "d");
    CHECK(from("${A:+y}") == "y");
    CHECK(from("x${E:+y}") == "x");
    CHECK(from("x${E+y}") == "xy");
    CHECK(from("${N:-${A}/${R}}") == "v/r");
    CHECK(from("\"$A\"b") == "vb");
    CHECK(from("'$A'") == "$A");
    CHECK(from("\\$A") == "$A");
    CHECK(from("\"\\$A\\\"\"") == "$A\"");
    CHECK(from("${A") == "v");
    CHECK(from("${A:?must}") == "v");
    CHECK(from("b-$TARGETARCH") == "b-amd64");
    CHECK(from("$N").empty());
  }

  TEST_CASE("variables that double do not grow without end") {
    std::string text = "ARG A0=xxxxxxxxxx\n";
    for (int i = 1; i < 64; ++i) {
      const std::string last = "$A" + std::to_string(i - 1);
      text += "ARG A" + std::to_string(i) + "=" + last + last + "\n";
    }
    CHECK(images(text + "FROM $A63\nFROM b") == names{"b"});
    const std::string deep = "FROM " + std::string(100'000, '$') + "\nFROM b";
    CHECK(images(deep).back() == "b");
    std::string nested;
    for (int i = 0; i < 100'000; ++i) nested += "${N:-";
    CHECK(images("FROM " + nested + "\nFROM b").back() == "b");
  }

  TEST_CASE("lines that go on, and comments between them") {
    CHECK(images("FROM \\\n  # a comment\n\n  a \\  \n AS b\nFROM b\nFROM c") == names{"a", "c"});
    CHECK(images("RUN a \\\nFROM b\nFROM c") == names{"c"});
    CHECK(images("RUN a \\\\\nFROM b") == names{"b"});
    CHECK(images("RUN a \\\r\nFROM b\r\nFROM c\r\n") == names{"c"});
    CHECK(images("# FROM a\nFROM b \\") == names{"b"});
    CHECK(images("\\\nFROM a") == names{"a"});
  }

  TEST_CASE("the escape directive") {
    CHECK(images("# escape=`\nRUN dir c:\\\nFROM a`\n/b\n") == names{"a/b"});
    CHECK(images("#Escape = `\nRUN x `\nFROM a\nFROM b") == names{"b"});
    CHECK(images("# syntax=docker/dockerfile:1\n# escape=`\nRUN x `\nFROM a\nFROM b") == names{"b"});
    // Behind anything else it is a comment.
    CHECK(images("\n# escape=`\nRUN x `\nFROM a") == names{"a"});
    CHECK(images("# hello\n# escape=`\nRUN x `\nFROM a") == names{"a"});
    CHECK(images("FROM b\n# escape=`\nRUN x `\nFROM a") == names{"b", "a"});
  }

  TEST_CASE("here-documents hold no instructions") {
    CHECK(images("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c") == names{"a", "c"});
    CHECK(images("FROM a\nRUN <<-'EOF' bash\n\tFROM b\n\tEOF\nFROM c") == names{"a", "c"});
    CHECK(images("FROM a\nCOPY <<A <<\"B\" /x/\nFROM b\nB\nA\nFROM c\nB\nFROM d") == names{"a", "d"});
    CHECK(images("FROM a\nRUN cat <<EOF > /x \\\n && true\nFROM b\nEOF\nFROM c") == names{"a", "c"});
    CHECK(images("FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nFROM c") == names{"a", "c"});
    CHECK(images("FROM a\nRUN <<EOF\r\nFROM b\r\nEOF\r\nFROM c") == names{"a", "c"});
    CHECK(images("FROM a\nRUN <<EOF\nFROM b") == names{"a"});
    // None of these is one.
    CHECK(images("FROM a\nRUN cat <<<EOF\nFROM b") == names{"a", "b"});
    CHECK(images("FROM a\nRUN echo \"<<EOF\"\nFROM b") == names{"a", "b"});
    CHECK(images("FROM a\nRUN echo x<<EOF\nFROM b") == names{"a", "b"});
    CHECK(images("FROM a\nENV x <<EOF\nFROM b") == names{"a", "b"});
  }

  TEST_CASE("what lies behind the target is not built") {
    const std::string_view text = "FROM a AS one\nFROM b AS Two\nCOPY --from=c / /\nFROM d";
    build_options options;
    options.target = "two";
    CHECK(images(text, options) == names{"a", "b", "c"});
    options.target = "0";
    CHECK(images(text, options) == names{"a"});
    options.target = "none";
    CHECK(images(text, options) == names{"a", "b", "c", "d"});
  }

  TEST_CASE("the registries of a build") {
    build_options options;
    options.cache_from = {"127.0.0.1:5000/cache", "bad reference"};
    options.tags = {"pushed.elsewhere/app"};
    CHECK(registries_of_build("FROM busybox\nFROM 127.0.0.1:5001/a\nFROM team/b\nFROM ??\n", options) ==
          names{"127.0.0.1:5000", "127.0.0.1:5001", "docker.io"});
    CHECK(registries_of_build("FROM scratch").empty());
  }
}

}  // namespace dockline::engine
