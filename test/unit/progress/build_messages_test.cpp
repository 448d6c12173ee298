#include "progress/build_messages.hpp"

#include "support/build_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dockline::progress {
namespace {

constexpr std::string_view digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string id = "sha256:" + std::string(digits);

// A {"stream":…} message for each text.
std::string say(std::initializer_list<std::string_view> texts) {
  std::string answer;
  for (const auto text : texts) answer += "{\"stream\":" + in_quotes(text) + "}\r\n";
  return answer;
}

std::string aux() { return "{\"aux\":{\"ID\":\"" + id + "\"}}\r\n"; }

std::string fail_with(std::string_view message) {
  return "{\"errorDetail\":{\"message\":" + in_quotes(message) + "},\"error\":" + in_quotes(message) +
         "}\r\n";
}

std::string list(std::string_view answer) {
  return decode_build(answer, std::string_view::npos, true).listing;
}

std::string failed(std::string_view answer) {
  const std::string listing = list(answer);
  const auto at = listing.find("failed step ");
  return at == std::string::npos ? "no failed step in:\n" + listing : listing.substr(at);
}

}  // namespace

TEST_SUITE("progress/build_messages") {
  TEST_CASE("several lines in a message, and lines in several messages") {
    const std::string expected =
        "step_started 1/2 \"FROM x\"\n"
        "step_finished 1\n"
        "step_started 2/2 \"RUN make\"\n"
        "step_log 2 out \"hello\\nworld\\n\"\n"
        "step_finished 2\n"
        "image_built " +
        id +
        "\n"
        "image_tagged app:1\n"
        "outcome: built " +
        id + "\n";
    const std::string text =
        "Step 1/2 : FROM x\n ---> 0123456789ab\nStep 2/2 : RUN make\n ---> Running in ba9876543210\nhello\n"
        "world\nRemoving intermediate container ba9876543210\n ---> 0123456789cd\n";
    const std::string rest =
        aux() + say({"Successfully built 0123456789cd\n", "Successfully tagged app:1\n"});
    CHECK(list(say({text}) + rest) == expected);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      CAPTURE(cut);
      const auto view = std::string_view(text);
      CHECK(list(say({view.substr(0, cut), view.substr(cut)}) + rest) == expected);
    }
    std::string single;
    for (const char& letter : text) single += say({std::string_view(&letter, 1)});
    CHECK(list(single + rest) == expected);
  }

  TEST_CASE("while a program runs, the builder's words are its output") {
    for (const std::string_view line :
         {"Step 3/3 : RUN x\n", " ---> abc\n", "Successfully built 0123456789ab\n",
          "Successfully tagged app:1\n", "[Warning] mine\n", "Removing intermediate container 000000000000\n",
          " ---> Removed intermediate container 000000000000\n", " ---> Using cache\n", "COMMIT\n",
          "--> 0123456789ab\n", "STEP 3/3: RUN x\n", "0123456789abcdef\n"}) {
      CHECK(list(say({"Step 2/3 : RUN a", "\n", " ---> Running in ba9876543210\n", line, "end\n"})) ==
            "step_started 2/3 \"RUN a\"\nstep_log 2 out " + in_quotes(std::string(line) + "end\n") +
                "\noutcome: the answer ended with neither a result nor an error\n");
    }
    for (const std::string_view line :
         {"Step 3/3 : RUN x\n", "STEP 4/4: RUN x\n", "STEP 1/3: RUN x\n", "[1/2] STEP 2/3: RUN x\n",
          " ---> 0123456789ab\n", "--> abc\n", "COMMIT\n", "COMMIT;\n", "[Warning] mine\n",
          "Successfully tagged app:1\n"}) {
      CHECK(list(say({"STEP 2/3: RUN a\n", line, "end\n"})) ==
            "step_started 2/3 \"RUN a\"\nstep_log 2 out " + in_quotes(std::string(line) + "end\n") +
                "\noutcome: the answer ended with neither a result nor an error\n");
    }
  }

  TEST_CASE("buildah's COMMIT is known by what follows it") {
    const std::string start = "step_started 1/1 \"RUN psql\"\n";
    CHECK(list(say({"STEP 1/1: RUN psql\n", "COMMIT\n", "COMMIT\n", "--> 0123456789ab\n"}) + aux()) ==
          start + "step_log 1 out \"COMMIT\\nCOMMIT\\n\"\nstep_finished 1\nimage_built " + id +
              "\noutcome: built " + id + "\n");
    CHECK(list(say({"STEP 1/1: RUN psql\n", "COMMIT app:1\n", "--> 0123456789ab\n"}) + aux()) ==
          start + "step_finished 1\nimage_built " + id + "\noutcome: built " + id + "\n");
    CHECK(list(say({"STEP 1/1: RUN psql\n", "COMMIT\n"}) + fail_with("no")).find("out \"COMMIT\\n\"") !=
          std::string::npos);
  }

  TEST_CASE("an unfinished line of a program does not hide the builder's next word") {
    CHECK(list(say({"STEP 1/2: RUN a\n", "no newline", "--> 0123456789ab\n", "STEP 2/2: RUN b\n"})) ==
          "step_started 1/2 \"RUN a\"\nstep_log 1 out \"no newline\"\nstep_finished 1\n"
          "step_started 2/2 \"RUN b\"\noutcome: the answer ended with neither a result nor an error\n");
  }

  TEST_CASE("what may be the builder's line is held back until it ends, but not above 1 MiB") {
    const std::string piece(64 << 10, 'x');
    std::size_t told = 0;
    build_messages messages([&](const event& what) {
      if (const auto* log = std::get_if<step_log>(&what.body)) told += log->bytes.size();
    });
    std::size_t given = 0;
    const auto give = [&](const std::string& text) {
      REQUIRE_FALSE(messages.add("{\"stream\":\"" + text + "\"}", event_time()));
      given += text.size();
    };
    give("STEP 1/2: RUN a");
    std::size_t most = 0;
    for (int i = 0; i < 64; ++i) {
      give(piece);
      most = std::max(most, given - told);
    }
    CHECK(most > piece.size());
    CHECK(most <= (1 << 20) + piece.size());
    CHECK(told > given - (1 << 20));
  }

  TEST_CASE("dockerd's colours tell error output; colours of a program stay") {
    CHECK(list(say({"Step 1/1 : RUN a", "\n", " ---> Running in ba9876543210\n", "\x1b[91merr\n\x1b[0m",
                    "\x1b[91m \x1b[1mbold\x1b[0m\x1b[0m", "\x1b[91mred\x1b[0m!\n", "\x1b[91m\x1b[0m"})) ==
          "step_started 1/1 \"RUN a\"\n"
          "step_log 1 err \"err\\n \\u001B[1mbold\\u001B[0m\"\n"
          "step_log 1 out \"\\u001B[91mred\\u001B[0m!\\n\"\n"
          "outcome: the answer ended with neither a result nor an error\n");
  }

  TEST_CASE("a step is cached once, whichever builder says so") {
    CHECK(list(say({"Step 1/1 : RUN a", "\n", " ---> Using cache\n", " ---> 0123456789ab\n"}) + aux()) ==
          "step_started 1/1 \"RUN a\"\nstep_cached 1\nstep_finished 1\nimage_built " + id +
              "\noutcome: built " + id + "\n");
    CHECK(list(say({"STEP 1/1: RUN a\n", "--> Using cache 0123456789ab\n", "--> 0123456789a\n"}) + aux()) ==
          "step_started 1/1 \"RUN a\"\nstep_cached 1\nstep_finished 1\nimage_built " + id +
              "\noutcome: built " + id + "\n");
  }

  TEST_CASE("warnings of dockerd come on an arrow or alone") {
    CHECK(list(say({"Step 1/1 : RUN a", "\n", " ---> [Warning] IPv4 forwarding is disabled.\n",
                    " ---> Running in ba9876543210\n", " ---> 0123456789ab\n"}) +
               aux() + say({"[Warning] One or more build-args [X] were not consumed\n"})) ==
          "step_started 1/1 \"RUN a\"\nwarning \"IPv4 forwarding is disabled.\"\n"
          "warning \"One or more build-args [X] were not consumed\"\nstep_finished 1\nimage_built " +
              id + "\noutcome: built " + id + "\n");
  }

  TEST_CASE("layers") {
    CHECK(
        list(
            R"({"status":"Pulling from a","id":"v1"})"
            R"({"status":"Downloading","progressDetail":{"current":5,"total":4},"progress":"[=>","id":"abc"})"
            R"({"status":"Extracting","progressDetail":{"current":-1,"units":"s"},"id":"abc"})"
            R"({"status":"Status: Downloaded"})") +
            aux() ==
        "layer_progress \"v1\" \"Pulling from a\" 0/0\nlayer_progress \"abc\" \"Downloading\" 5/4 "
        "downloading\n"
        "layer_progress \"abc\" \"Extracting\" 0/0 extracting\nlayer_progress \"\" \"Status: Downloaded\" "
        "0/0\n"
        "outcome: the answer ended with neither a result nor an error\n" +
            aux());
  }

  TEST_CASE("where the image's id is found") {
    const std::string built = "image_built " + id + "\noutcome: built " + id + "\n";
    CHECK(list(aux()) == built);
    CHECK(list("{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"" + id + "\"}}") == built);
    CHECK(list(say({id + "\n"})) == built);
    CHECK(list(say({std::string(digits) + "\n"})) == built);
    CHECK(list(say({id})) == built);
    CHECK(list(say({"Successfully built 0123456789ab\n"}) + aux()) == built);
    CHECK(list(say({"Successfully built 0123456789ab\n"})) == "outcome: built 0123456789ab\n");
  }

  TEST_CASE("an image of an earlier stage is no outcome") {
    const std::string stage = say({"Step 3/8 : RUN a", "\n"}) + aux();
    CHECK(decode_build(stage).code == errc::no_outcome);
    CHECK(decode_build(stage + say({"Step 4/8 : FROM a", "\n"})).code == errc::no_outcome);
    CHECK_FALSE(decode_build(stage + say({"Successfully built 0123456789ab\n"})).code);
    CHECK_FALSE(decode_build(stage + say({"Step 8/8 : FROM a", "\n"}) + aux()).code);
  }

  TEST_CASE("exit codes in the text of errors") {
    const std::pair<std::string_view, std::string_view> errors[] = {
        {"The command '/bin/sh -c exit 7' returned a non-zero code: 7", "7"},
        {"executor failed running [/bin/sh -c echo out; exit 7]: exit code: 7", "7"},
        {"process \"/bin/sh -c exit code: 3\" did not complete successfully: exit code: 137", "137"},
        {"process \"/bin/sh -c a\" did not complete successfully: exit code: 137: context canceled", "137"},
        {"building at STEP \"RUN exit status 3\": while running runtime: exit status 7\n", "7"},
        {"failed to create shim task: OCI runtime create failed: no such file", "none"},
        {"COPY failed: stat exit status 7x: file does not exist", "none"},
        {"manifest for 127.0.0.1:5000/no/such:tag not found: manifest unknown: manifest unknown", "none"}};
    for (const auto& [text, code] : errors) {
      CAPTURE(text);
      CHECK(failed(fail_with(text)).find(" exit_code=" + std::string(code) + "\n") != std::string::npos);
    }
  }

  TEST_CASE("a failed step is told with its last twenty lines") {
    std::string output;
    std::string tail;
    for (int i = 1; i <= 30; ++i) {
      output += "line " + std::to_string(i) + "\n";
      if (i > 11) tail += "line " + std::to_string(i) + "\n";
    }
    const std::string answer =
        say({"Step 1/7 : FROM x", "\n", "Step 2/7 : RUN make -j2", "\n", " ---> Running in ba9876543210\n",
             output, "unfinished", "Removing intermediate container ba9876543210\n"}) +
        R"({"errorDetail":{"code":2,"message":"The command 'x' returned a non-zero code: 3"},"error":"e"})";
    CHECK(failed(answer) ==
          "failed step 2/7 \"RUN make -j2\" exit_code=2\n"
          "reason: \"The command 'x' returned a non-zero code: 3\"\nlog_tail: " +
              in_quotes(tail + "unfinished\n") + "\n");
    CHECK(list(answer).find("step_failed 2 exit_code=2") != std::string::npos);
    CHECK(decode_build(answer).code == errc::build_failed);
  }

  TEST_CASE("of a failed step's long lines 16 KiB are told, and these are the end") {
    const auto tail_of = [](const std::string& output) {
      const std::string listing =
          failed(say({"Step 1/1 : RUN make", "\n", " ---> Running in ba9876543210\n", output}) +
                 fail_with("The command 'x' returned a non-zero code: 3"));
      const std::string before = "log_tail: \"";
      const std::size_t at = listing.find(before);
      REQUIRE(at != std::string::npos);
      return listing.substr(at + before.size(), listing.rfind('"') - at - before.size());
    };
    constexpr std::size_t most = 16 * 1024;
    // A byte less than fits, what fits, and much more: with the line's end, which is written as two letters.
    CHECK(tail_of(std::string(most - 2, 'y') + '\n') == std::string(most - 2, 'y') + "\\n");
    CHECK(tail_of(std::string(most - 1, 'y') + '\n') == std::string(most - 1, 'y') + "\\n");
    CHECK(tail_of('x' + std::string(most - 1, 'y') + '\n') == std::string(most - 1, 'y') + "\\n");
    std::string lines;
    for (int i = 0; i < 20; ++i) lines += std::string(2000, static_cast<char>('a' + i)) + '\n';
    const std::string told = tail_of(lines);
    CHECK(told.size() - static_cast<std::size_t>(std::ranges::count(told, '\\')) <= most);
    CHECK(told.size() > most - 2001);
    CHECK(told.ends_with(std::string(2000, 't') + "\\n"));
    CHECK(told.find('b') == std::string::npos);
  }

  TEST_CASE("an error with what little it has") {
    CHECK(failed(R"({"error":"only this"})") ==
          "failed step 0/0 \"\" exit_code=none\nreason: \"only this\"\nlog_tail: \"\"\n");
    CHECK(failed(R"({"errorDetail":{"message":"detail\n"},"error":"other"})") ==
          "failed step 0/0 \"\" exit_code=none\nreason: \"detail\"\nlog_tail: \"\"\n");
    CHECK(decode_build(R"({"errorDetail":{}})").code == errc::build_failed);
    CHECK(decode_build(R"({"errorDetail":null,"error":5})").code == errc::build_failed);
    CHECK(failed(fail_with("building at STEP \"RUN a: \"b\"\": while running runtime: exit status 7")) ==
          "failed step 0/0 \"RUN a: \\\"b\\\"\" exit_code=7\nreason: \"building at STEP \\\"RUN a: "
          "\\\"b\\\"\\\": while running runtime: exit status 7\"\nlog_tail: \"\"\n");
  }

  TEST_CASE("the first error is the one; an image before it does not count, and is of no step") {
    const std::string answer =
        say({"Step 1/1 : RUN a", "\n"}) + aux() + fail_with("no tag") + fail_with("two");
    CHECK(list(answer) ==
          "step_started 1/1 \"RUN a\"\nstep_finished 1\noutcome: the build failed\n"
          "failed step 0/0 \"\" exit_code=none\nreason: \"no tag\"\nlog_tail: \"\"\n");
  }

  TEST_CASE("messages that it does not know go to whoever wants them, as they came") {
    CHECK(list(R"({"id":"moby.buildkit.trace","aux":"CgA="} {"a" : 1} [2] "x")") ==
          "unknown \"{\\\"id\\\":\\\"moby.buildkit.trace\\\",\\\"aux\\\":\\\"CgA=\\\"\"\n"
          "unknown \"{\\\"a\\\" : 1}\"\nunknown \"[2]\"\nunknown \"\\\"x\\\"\"\n"
          "outcome: the answer ended with neither a result nor an error\n");
    build_messages deaf({});
    CHECK_FALSE(deaf.add(R"({"id":"moby.buildkit.trace","aux":"CgA="})", {}));
    CHECK_FALSE(deaf.add(R"({"stream":"Step 1/1 : RUN a\n"})", {}));
    CHECK(deaf.finish({}) == errc::no_outcome);
  }

  TEST_CASE("what is not JSON is refused") {
    build_messages messages({});
    CHECK(messages.add("{\"stream\":}", {}) == errc::malformed_json);
    CHECK(messages.add("<html>", {}) == errc::malformed_json);
  }

  TEST_CASE("events carry the time that the caller gave") {
    std::vector<event_time> times;
    build_messages messages([&](const event& what) { times.push_back(what.time); });
    const auto at = [](int seconds) { return event_time(std::chrono::seconds(seconds)); };
    CHECK_FALSE(messages.add(R"({"stream":"Step 1/1 : RUN a\n"})", at(1)));
    CHECK_FALSE(messages.add(R"({"stream":"text\n"})", at(2)));
    CHECK_FALSE(messages.add(R"({"aux":{"ID":"sha256:1"}})", at(3)));
    CHECK_FALSE(messages.finish(at(4)));
    CHECK(times == std::vector<event_time>{at(1), at(2), at(4), at(4)});
  }

  TEST_CASE("podman's stages count on, and its tags are told once, as the caller wrote them") {
    CHECK(list(say({"[1/2] STEP 1/2: FROM a\n", "[1/2] STEP 2/2: RUN a\n", "--> 0123456789ab\n",
                    "[2/2] STEP 1/1: FROM b\n", "[2/2] COMMIT x:1\n", "--> 0123456789ab\n",
                    "Successfully tagged docker.io/library/x:2\n", "Successfully tagged localhost/x:1\n"}) +
               aux() + say({"Successfully tagged x:1\n", "Successfully tagged x:2\n"})) ==
          "step_started 1/0 \"FROM a\"\nstep_finished 1\nstep_started 2/0 \"RUN a\"\nstep_finished 2\n"
          "step_started 3/0 \"FROM b\"\nstep_finished 3\nimage_built " +
              id + "\nimage_tagged x:2\nimage_tagged x:1\noutcome: built " + id + "\n");
  }
}

}  // namespace dockline::progress
