// Builds through buildkit::async_build on a real engine, whichever builder it has.

#include "dockline/buildkit/build.hpp"

#include "core/descriptor.hpp"
#include "core/wipe.hpp"
#include "daemon/daemon_helpers.hpp"

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace dockline::daemon_test {
namespace {

struct session_outcome {
  session_outcome() = default;

  error_code code;
  buildkit::build_result result;
  diagnostics why;
  std::string builder;
};

session_outcome build(engine_fixture& engine, archive::context_options what,
                      buildkit::build_options options) {
  session_outcome out;
  auto body = [&]() -> asio::awaitable<void> {
    auto [code, context] = co_await archive::async_open_context(engine.loop().get_executor(), std::move(what),
                                                                out.why, no_throw);
    out.code = code;
    if (code) co_return;
    progress::event_sink on_event = [&out](const progress::event& news) {
      if (const auto* chosen = std::get_if<progress::builder_chosen>(&news.body))
        out.builder = chosen->builder;
    };
    std::tie(out.code, out.result) = co_await buildkit::async_build(
        engine.daemon(), std::move(context), std::move(options), std::move(on_event), out.why, no_throw);
  };
  engine.run(body());
  return out;
}

constexpr char disguise = 0x55;

// Swaps a word and its disguise, in which it is found by nobody who looks for the word.
std::string disguised(std::string_view word) {
  std::string other(word);
  for (char& c : other) c = static_cast<char>(c ^ disguise);
  return other;
}

// How often this process has a word, of which only the disguise is known, in memory that it may write.
std::size_t held_in_memory(std::string_view disguised_word) {
  static std::array<char, std::size_t{1} << 16> block;
  std::ifstream maps("/proc/self/maps");
  const descriptor memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  REQUIRE(memory);
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw") == line.npos || line.find("[v") != line.npos) continue;
    std::size_t end = 0;
    const std::uint64_t first = std::stoull(line, &end, 16);
    const std::uint64_t last = std::stoull(line.substr(end + 1), nullptr, 16);
    // What a sanitizer knows of each byte, and not the bytes: reading it would take all of the machine's memory.
    constexpr std::uint64_t terabyte = std::uint64_t{1} << 40;
    if (last - first > terabyte) continue;
    for (std::uint64_t at = first; at < last; at += block.size() - disguised_word.size()) {
      const ssize_t size = ::pread(memory.get(), block.data(),
                                   std::min<std::uint64_t>(block.size(), last - at), static_cast<off_t>(at));
      for (ssize_t i = 0; i + static_cast<ssize_t>(disguised_word.size()) <= size; ++i) {
        std::size_t same = 0;
        while (same < disguised_word.size() && static_cast<char>(block[static_cast<std::size_t>(i) + same] ^
                                                                 disguise) == disguised_word[same])
          ++same;
        if (same == disguised_word.size()) ++found;
      }
      // What was read may be a part of the word, and the block is memory as well.
      block.fill(0);
    }
  }
  return found;
}

}  // namespace

TEST_SUITE("daemon/buildkit") {
  TEST_CASE("the builder that the daemon has makes the image") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("tree/file", "content");
    tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /tree\n");
    archive::context_options what;
    what.directory = tree.root();
    buildkit::build_options options;
    options.image = engine.tagged("session");
    const session_outcome built = build(engine, what, options);
    REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    CHECK(built.builder == (engine_fixture::is_podman() ? "classic" : "buildkit"));
    CHECK(built.result.image_id.size() == 7 + 64);
    CHECK(engine.run_probe(options.image.tags[0], {"walk", "/tree"}).out ==
          probe_says({"walk", tree.path("tree")}));
  }

  TEST_CASE("files and a Dockerfile from memory arrive with any builder, whatever the rules say") {
    engine_fixture engine;
    const scratch_tree tree;
    const scratch_tree expected;
    tree.file("b.py", "on the disk", 0755);
    tree.file("kept", "content");
    tree.file(".dockerignore", "*.py\n.dockerignore\n");
    expected.file("b.py", "in memory", 0755);
    expected.file("kept", "content");
    archive::context_options what;
    what.directory = tree.root();
    const std::string dockerfile = "FROM " + base_image() + "\nCOPY . /tree/\n";
    what.dockerfile = archive::dockerfile_source::from_text(dockerfile);
    for (const char* name : {"z.py", "a-b.py", "b.py"}) {
      archive::extra_file made;
      made.name = name;
      made.text = "in memory";
      what.extra_files.push_back(made);
      if (made.name != "b.py") expected.file(name, made.text);
    }
    buildkit::build_options options;
    options.image = engine.tagged("memory");
    // The second time with another text of the same length, in the same second.
    for (const char* text : {"in memory", "otherwise"}) {
      for (const char* name : {"z.py", "a-b.py", "b.py"})
        expected.file(name, text, name[0] == 'b' ? 0755 : 0644);
      for (auto& made : what.extra_files) made.text = text;
      const session_outcome built = build(engine, what, options);
      REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
      CHECK(built.builder == (engine_fixture::is_podman() ? "classic" : "buildkit"));
      CHECK(engine.run_probe(options.image.tags[0], {"walk", "/tree"}).out ==
            probe_says({"walk", expected.root()}));
    }
  }

  TEST_CASE(
      "a Dockerfile or a file that has changed is read anew, even where its time and size are the same") {
    engine_fixture engine;
    const scratch_tree tree;
    buildkit::build_options options;
    options.image = engine.tagged("anew");
    archive::context_options what;
    what.directory = tree.root();
    for (const bool reproducible : {false, true}) {
      CAPTURE(reproducible);
      what.reproducible = reproducible;
      for (const std::string word : {"one", "two", "six"}) {
        CAPTURE(word);
        // In memory the Dockerfile's time is that of the build, in seconds.
        tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /" + word + "\n");
        tree.file("tree/file", word);
        const session_outcome built = build(engine, what, options);
        REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
        CHECK(engine.run_probe(options.image.tags[0], {"walk", "/" + word}).out ==
              probe_says({"walk", tree.path("tree")}));
      }
    }
  }

  TEST_CASE("several builds at once on one client have a session each") {
    if (engine_fixture::is_podman()) return;
    engine_fixture engine;
    constexpr std::size_t count = 4;
    const scratch_tree tree;
    std::vector<session_outcome> built(count);
    std::vector<std::string> tags;
    std::size_t over = 0;
    std::size_t running = 0;
    std::size_t most_running = 0;
    auto body = [&]() -> asio::awaitable<void> {
      for (std::size_t i = 0; i < count; ++i) {
        const std::string place = "build" + std::to_string(i);
        tree.file(place + "/file", "of " + place);
        tree.file(place + "/Dockerfile",
                  "FROM " + base_image() +
                      "\nCOPY file /got/\nRUN --mount=type=secret,id=word,required=true "
                      "[\"/probe\", \"ticks\", \"0\", \"10\", \"100\", \"" +
                      place + "\"]\n");
        archive::context_options what;
        what.directory = tree.path(place);
        auto [code, context] =
            co_await archive::async_open_context(engine.loop().get_executor(), what, built[i].why, no_throw);
        REQUIRE(!code);
        buildkit::build_options options;
        options.image = engine.tagged(place);
        options.image.no_cache = true;
        options.secrets.push_back(buildkit::secret::from_memory("word", place));
        tags.push_back(options.image.tags[0]);
        progress::event_sink on_event = [&](const progress::event& news) {
          if (const auto* log = std::get_if<progress::step_log>(&news.body)) {
            if (log->bytes.starts_with("tick 1\n")) most_running = std::max(most_running, ++running);
            if (log->bytes.find("tick 10\n") != std::string::npos) --running;
          }
        };
        buildkit::async_build(engine.daemon(), std::move(context), std::move(options), std::move(on_event),
                              built[i].why, [&, i](error_code outcome, buildkit::build_result result) {
                                built[i].code = outcome;
                                built[i].result = std::move(result);
                                ++over;
                              });
      }
      asio::steady_timer pause(engine.loop().get_executor());
      while (over < count) {
        pause.expires_after(std::chrono::milliseconds(20));
        co_await pause.async_wait(no_throw);
      }
    };
    engine.run(body());
    CHECK(most_running > 1);
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE_MESSAGE(!built[i].code, describe(built[i].code, built[i].why));
      tree.file("expected" + std::to_string(i) + "/file", "of build" + std::to_string(i));
      CHECK(engine.run_probe(tags[i], {"walk", "/got"}).out ==
            probe_says({"walk", tree.path("expected" + std::to_string(i))}));
    }
  }

  TEST_CASE("a secret is nowhere in this process once its build is over") {
    if (engine_fixture::is_podman()) return;
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() +
                                "\nRUN --mount=type=secret,id=word --mount=type=secret,id=file "
                                "[\"/probe\", \"walk\", \"/run/secrets\"]\n");
    archive::context_options what;
    what.directory = tree.root();
    const std::string hidden = disguised("swordfish, as nobody may know");
    tree.file("secret", "");
    {
      std::string word = disguised(hidden);
      const descriptor file(::open(tree.path("secret").c_str(), O_WRONLY | O_CLOEXEC));
      REQUIRE(::write(file.get(), word.data(), word.size()) == static_cast<ssize_t>(word.size()));
      wipe(word);
    }
    {
      buildkit::build_options options;
      options.image = engine.tagged("secret");
      options.image.no_cache = true;
      options.secrets.push_back(buildkit::secret::from_memory("word", disguised(hidden)));
      options.secrets.push_back(buildkit::secret::from_file("file", tree.path("secret")));
      CHECK(held_in_memory(hidden) == 1);
      const session_outcome built = build(engine, what, std::move(options));
      REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    }
    CHECK(held_in_memory(hidden) == 0);
  }
}

}  // namespace dockline::daemon_test
