// Builds on a real engine: what is in the directory is in the image, and what goes wrong is told.

#include "daemon/daemon_helpers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <future>

namespace dockline::daemon_test {
namespace {

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Every kind of entry that the classic builder keeps. (It drops set-id bits, whoever sends them.)
void fill(const scratch_tree& tree) {
  tree.file("tree/plain.txt", "text\n");
  tree.file("tree/empty");
  tree.file("tree/run.sh", "#!/bin/sh\n", 0755);
  tree.file("tree/private", "x", 0600);
  tree.file("tree/odd-mode", "x", 0641);
  tree.file("tree/a/b/c/d/e/deep", "deep");
  tree.directory("tree/a/empty directory");
  tree.file("tree/with space and 'quotes' \"\\", "quoted");
  tree.file("tree/\xc3\xa4\xc3\xb6\xc3\xbc/\xe6\x96\x87\xe4\xbb\xb6 \xf0\x9f\x90\xb3", "not ASCII");
  // One that a ustar header cannot split, and one longer than all that it holds.
  tree.file("tree/" + repeat("n", 200), "long name");
  tree.file("tree/" + repeat("long-directory-name-" + repeat("d", 30) + "/", 8) + repeat("f", 120),
            "long path");
  tree.file("tree/zeros", std::string(300'000, '\0'));
  std::string noise(700'001, ' ');
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>((i * i * 31 + i / 7) % 251);
  tree.file("tree/noise.bin", noise);
  tree.symlink("tree/link", "plain.txt");
  tree.symlink("tree/a/up", "../plain.txt");
  tree.symlink("tree/dangling", "/nowhere/at all");
  tree.symlink("tree/to-directory", "a");
  tree.symlink("tree/long-link", repeat("x/", 90) + "target");
  tree.symlink("tree/\xc3\xa9", "\xc3\xa8");
}

// What the probe in the image sees of /tree.
std::string arrived(engine_fixture& engine, const std::string& image) {
  const output seen = engine.run_probe(image, {"walk", "/tree"});
  REQUIRE_MESSAGE(!seen.code, describe(seen.code, seen.why));
  REQUIRE(seen.status == 0);
  REQUIRE(seen.err == "");
  return seen.out;
}

void check_built(const build_outcome& built) {
  REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
  CHECK(built.image.id.starts_with("sha256:"));
  CHECK(built.image.id.size() == 7 + 64);
}

// The real packing, with something done to the tree after the first block of it.
class meddled_source : public byte_source {
 public:
  meddled_source(std::unique_ptr<byte_source> inner, std::function<void()> meddle)
      : inner_(std::move(inner)), meddle_(std::move(meddle)) {}

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    if (++reads_ == 2) meddle_();
    inner_->async_read_some(block, std::move(handler));
  }
  const diagnostics& why() const noexcept override { return inner_->why(); }

 private:
  std::unique_ptr<byte_source> inner_;
  std::function<void()> meddle_;
  int reads_ = 0;
};

build_outcome build_meddled(engine_fixture& engine, const scratch_tree& tree, const std::string& tag,
                            std::function<void()> meddle) {
  archive::context_options wanted;
  wanted.directory = tree.root();
  auto context = archive::async_open_context(engine.loop().get_executor(), wanted, asio::use_future);
  engine.loop().restart();
  engine.loop().run();
  engine::build_options options;
  options.tags = {tag};
  return engine.build(std::make_shared<meddled_source>(context.get().pack(), std::move(meddle)), options);
}

}  // namespace

TEST_SUITE("daemon/build") {
  TEST_CASE("a regular tree arrives in the image unchanged, gzip or not") {
    for (const auto how : {archive::compression::none, archive::compression::gzip}) {
      engine_fixture engine;
      const scratch_tree tree;
      fill(tree);
      tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /tree\n");
      const auto options = engine.tagged("tree");
      const build_outcome built = engine.build(tree, options, how);
      check_built(built);
      const std::string sent = probe_says({"walk", tree.path("tree")});
      CHECK(arrived(engine, options.tags[0]) == sent);
      CHECK(std::ranges::count(sent, '\n') == 33);

      const auto steps = built.all<progress::step_started>();
      REQUIRE(steps.size() == 2);
      CHECK(steps[1].index == 2);
      CHECK(steps[1].total == 2);
      CHECK(steps[1].name == "COPY tree /tree");
      const auto packed = built.all<progress::context_progress>();
      REQUIRE(!packed.empty());
      CHECK(packed.back().complete);
      CHECK(packed.back().entries >= 34);
      CHECK((packed.back().bytes_sent < packed.back().bytes) == (how == archive::compression::gzip));
      CHECK(built.all<progress::image_built>().size() == 1);
    }
  }

  TEST_CASE(".dockerignore: comments, *, **, ! decide what arrives") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file(
        ".dockerignore",
        "\xef\xbb\xbf# a comment\n\n  *.log  \n**/*.tmp\ntree/build\n!tree/build/keep.txt\ntree/*/cache\n"
        "tree/docs/**\n!tree/docs/README.md\n #not-a-comment\ntree/?.c\ntree/[xy]*\n/tree/rooted\r\n");
    for (const auto name :
         {"top.log", "tree/in.log", "tree/a.tmp", "tree/a/b.tmp", "tree/a/keep", "tree/build/out.o",
          "tree/build/keep.txt", "tree/a/cache/x", "tree/cache/x", "tree/a/b/cache/x", "tree/docs/a/b",
          "tree/docs/README.md", "tree/a.c", "tree/ab.c", "tree/xylophone", "tree/zebra", "tree/rooted",
          "tree/a/rooted", "tree/.hidden"})
      tree.file(name, name);
    tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY . /\n");
    const auto options = engine.tagged("ignore");
    check_built(engine.build(tree, options));
    std::vector<std::string> names;
    const std::string listing = arrived(engine, options.tags[0]);
    for (std::size_t at = 0; at < listing.size();) {
      const std::size_t end = listing.find('\n', at);
      const std::string line = listing.substr(at, end - at);
      if (line.front() == 'f') names.push_back(line.substr(line.rfind(' ') + 1));
      at = end + 1;
    }
    CHECK(names == std::vector<std::string>{"/.hidden", "/a/b/cache/x", "/a/keep", "/a/rooted", "/ab.c",
                                            "/build/keep.txt", "/cache/x", "/docs/README.md", "/in.log",
                                            "/zebra"});
  }

  TEST_CASE("labels, build arguments, tags and the configuration are the image's") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile",
              "FROM " + base_image() +
                  "\nARG VALUE=default\nARG OTHER=default\nENV A=$VALUE B=$OTHER\nLABEL from=file\n"
                  "WORKDIR /work\nUSER 7:8\nEXPOSE 80\nVOLUME /data\nSTOPSIGNAL SIGINT\n"
                  "ENTRYPOINT [\"/probe\"]\nCMD [\"env\", \"A\", \"B\"]\n");
    auto options = engine.tagged("config");
    options.tags.push_back(engine.name("config-too") + ":v1.2");
    options.labels = {{"given", "b\xc3\xa4r \"quoted\" &="}};
    options.build_args = {{"VALUE", "a value & more=+\xc3\xa4"}};
    const build_outcome built = engine.build(tree, options);
    check_built(built);
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<engine::image_info> {
      co_return co_await engine::async_image_inspect(daemon, std::move(name));
    };
    for (const auto& tag : options.tags) {
      const engine::image_info found = engine.run(look(engine.daemon(), tag));
      CHECK(found.id.find(built.image.id.substr(7)) != std::string::npos);
      CHECK(found.repo_tags.size() == 2);
      CHECK(found.os == "linux");
      CHECK_FALSE(found.architecture.empty());
      CHECK_FALSE(found.created.empty());
      CHECK(found.size > 0);
      CHECK_FALSE(found.layers.empty());
      CHECK(found.config.labels.at("from") == "file");
      CHECK(found.config.labels.at("given") == "b\xc3\xa4r \"quoted\" &=");
      CHECK(std::ranges::count(found.config.env, "A=a value & more=+\xc3\xa4") == 1);
      CHECK(std::ranges::count(found.config.env, "B=default") == 1);
      CHECK(found.config.cmd == std::vector<std::string>{"env", "A", "B"});
      CHECK(found.config.entrypoint == std::vector<std::string>{"/probe"});
      CHECK(found.config.working_dir == "/work");
      CHECK(found.config.user == "7:8");
      CHECK(found.config.stop_signal == "SIGINT");
      CHECK(found.config.exposed_ports == std::vector<std::string>{"80/tcp"});
      CHECK(found.config.volumes == std::vector<std::string>{"/data"});
    }
    engine::run_options plain;
    plain.container.image = options.tags[0];
    CHECK(engine.run_container(plain).out == "A=a value & more=+\xc3\xa4\nB=default\n");
    engine::image_remove_options force;
    force.force = true;
    auto remove = [](engine::client daemon, std::string name,
                     engine::image_remove_options how) -> asio::awaitable<engine::image_removed> {
      co_return co_await engine::async_image_remove(daemon, std::move(name), how);
    };
    const auto untagged = engine.run(remove(engine.daemon(), options.tags[1], {}));
    CHECK(untagged.untagged.size() == 1);
    CHECK(untagged.deleted.empty());
    CHECK_FALSE(engine.has_image(options.tags[1]));
    const auto gone = engine.run(remove(engine.daemon(), options.tags[0], force));
    CHECK_FALSE(gone.deleted.empty());
    CHECK_FALSE(engine.has_image(built.image.id));
  }

  TEST_CASE("target: the stage to stop at") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() + " AS first\nLABEL stage=first\nFROM " + base_image() +
                                "\nLABEL stage=last\n");
    auto options = engine.tagged("target");
    options.target = "first";
    check_built(engine.build(tree, options));
    auto look = [](engine::client daemon, std::string name) -> asio::awaitable<engine::image_info> {
      co_return co_await engine::async_image_inspect(daemon, std::move(name));
    };
    CHECK(engine.run(look(engine.daemon(), options.tags[0])).config.labels.at("stage") == "first");

    auto missing = engine.tagged("target");
    missing.target = "nosuch";
    const build_outcome failed = engine.build(tree, missing);
    CHECK((failed.code == errc::bad_request || failed.code == errc::build_failed));
    CHECK(describe(failed.code, failed.why).find("nosuch") != std::string::npos);
    CHECK_FALSE(engine.has_image(missing.tags[0]));
  }

  TEST_CASE("a quiet build tells the id alone, and it is the image's") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() + "\nLABEL quiet=yes\n");
    auto options = engine.tagged("quiet");
    options.quiet = true;
    const build_outcome built = engine.build(tree, options);
    check_built(built);
    CHECK(engine.has_image(built.image.id));
    CHECK(built.all<progress::step_started>().empty());
  }

  TEST_CASE("a failing RUN: which step of how many, what, with which status, and its last lines") {
    engine_fixture engine;
    const scratch_tree tree;
    // The step before the failing one comes out of the cache, so that no image without a name is left.
    tree.file("Dockerfile", "FROM " + base_image() + "\nLABEL a=1\n");
    check_built(engine.build(tree, engine.tagged("before")));
    tree.file("Dockerfile", "FROM " + base_image() +
                                "\nLABEL a=1\nRUN [\"/probe\", \"lines\", \"7\", \"300\"]\nLABEL b=2\n");
    const auto options = engine.tagged("failing");
    const build_outcome failed = engine.build(tree, options);
    CHECK(failed.code == errc::build_failed);
    CHECK(failed.code == condition::build_failed);
    const failed_step* step = failed.why.step();
    REQUIRE(step != nullptr);
    CHECK(step->index == 3);
    CHECK(step->total == 4);
    CHECK(step->instruction.starts_with("RUN [\"/probe\""));
    CHECK(step->exit_code == 7);
    CHECK_FALSE(step->reason.empty());
    CHECK(step->log_tail.ends_with("line 299\nline 300\n"));
    CHECK(describe(failed.code, failed.why).starts_with("step 3/4 RUN [\"/probe\""));
    CHECK(describe(failed.code, failed.why).find("exit code 7") != std::string::npos);
    CHECK_FALSE(engine.has_image(options.tags[0]));
    std::string log;
    for (const auto& piece : failed.all<progress::step_log>()) {
      if (piece.index == 3) log += piece.bytes;
    }
    CHECK(std::ranges::count(log, '\n') >= 300);
    CHECK(failed.all<progress::step_failed>().size() == 1);
    CHECK(failed.all<progress::image_built>().empty());
  }

  TEST_CASE("a command that does not exist fails its step") {
    engine_fixture engine;
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM " + base_image() + "\nRUN [\"/nowhere\"]\n");
    const build_outcome failed = engine.build(tree, engine.tagged("nowhere"));
    CHECK(failed.code == errc::build_failed);
    REQUIRE(failed.why.step() != nullptr);
    CHECK(failed.why.step()->index == 2);
    CHECK(failed.why.step()->total == 2);
    CHECK(describe(failed.code, failed.why).find("/nowhere") != std::string::npos);
  }

  TEST_CASE("what is wrong with a Dockerfile is said in the daemon's words, and nothing is tagged") {
    struct row {
      std::string_view label;
      std::string dockerfile;
      std::string_view docker, podman;  // part of what each says
    };
    const row rows[] = {
        {"malformed", "FROM " + base_image() + "\nRUNN echo hi\n", "unknown instruction: RUNN", "RUNN"},
        {"no-base", "FROM 127.0.0.1:1/no/such:tag\n", "127.0.0.1:1", "127.0.0.1:1"},
        {"no-file", "FROM " + base_image() + "\nCOPY missing.txt /m.txt\n", "missing.txt", "missing.txt"},
        {"empty", "", "cannot be empty", "no contents in"},
        {"comment", "# nothing\n", "file with no instructions", ""},
        {"no-from", "LABEL a=b\n", "no build stage in current context", "FROM"},
    };
    for (const auto& one : rows) {
      engine_fixture engine;
      const scratch_tree tree;
      tree.file("Dockerfile", one.dockerfile);
      const auto options = engine.tagged(one.label);
      const build_outcome failed = engine.build(tree, options);
      REQUIRE_MESSAGE(failed.code, one.label);
      const std::string words = describe(failed.code, failed.why);
      const auto part = engine.is_podman() ? one.podman : one.docker;
      CHECK_MESSAGE(words.find(part) != std::string::npos, words);
      CHECK_MESSAGE((failed.code == condition::build_failed || failed.code == errc::bad_request), words);
      CHECK_FALSE(engine.has_image(options.tags[0]));
    }
  }

  TEST_CASE("a file that vanishes, shrinks or grows while it is sent: its path, and no image") {
    struct row {
      std::string_view what;
      void (*meddle)(const std::string& path);
    };
    const row rows[] = {
        {"vanish", [](const std::string& path) { std::filesystem::remove(path); }},
        {"shrink", [](const std::string& path) { std::filesystem::resize_file(path, 3); }},
        {"grow", [](const std::string& path) { std::filesystem::resize_file(path, 50 << 20); }},
    };
    for (const auto& one : rows) {
      engine_fixture engine;
      const scratch_tree tree;
      tree.file("Dockerfile", "FROM " + base_image() + "\nCOPY . /tree\n");
      // The victim is opened and its header packed long before its end is sent.
      tree.file("a-large", std::string(8 << 20, 'x'));
      tree.file("b-victim", std::string(8 << 20, 'y'));
      const std::string tag = engine.name(one.what);
      const std::string path = tree.path(one.what == "vanish" ? "b-victim" : "a-large");
      const build_outcome failed = build_meddled(engine, tree, tag, [&] { one.meddle(path); });
      CHECK_MESSAGE(failed.code == condition::bad_context,
                    one.what << ": " << describe(failed.code, failed.why));
      CHECK_MESSAGE(failed.why.client_message().find(one.what == "vanish" ? "b-victim" : "a-large") !=
                        std::string::npos,
                    failed.why.client_message());
      CHECK_FALSE(engine.has_image(tag));
    }
  }

  TEST_CASE("a source that is no tar: the daemon's words") {
    class nonsense : public byte_source {
     public:
      explicit nonsense(asio::any_io_executor executor) : executor_(std::move(executor)) {}
      void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
        const std::size_t size = std::min(block.size(), left_);
        std::fill_n(static_cast<char*>(block.data()), size, 'x');
        left_ -= size;
        asio::post(executor_, [size, handler = std::move(handler)]() mutable {
          std::move(handler)(error_code(), size);
        });
      }
      const diagnostics& why() const noexcept override { return why_; }

     private:
      asio::any_io_executor executor_;
      std::size_t left_ = 4 << 20;
      diagnostics why_;
    };
    engine_fixture engine;
    const auto options = engine.tagged("nonsense");
    const build_outcome failed =
        engine.build(std::make_shared<nonsense>(engine.loop().get_executor()), options);
    CHECK_MESSAGE(failed.code == errc::service_failed, describe(failed.code, failed.why));
    CHECK_FALSE(describe(failed.code, failed.why).empty());
    CHECK_FALSE(engine.has_image(options.tags[0]));
  }

  TEST_CASE("cancelled in the middle of a RUN: it ends on the daemon, and nothing is left") {
    engine_fixture engine;
    // podman lets the step run to its end (measured on 4.3 to 5.8), so there is nothing to see here.
    if (engine.is_podman()) return;
    const scratch_tree tree;
    const std::string mark = engine.name("cancelled");
    tree.file("Dockerfile",
              "FROM " + base_image() + "\nRUN [\"/probe\", \"sleep\", \"120\", \"" + mark + "\"]\n");
    auto cancelled = [](engine_fixture& fixture, const scratch_tree& from,
                        std::string name) -> asio::awaitable<error_code> {
      archive::context_options wanted;
      wanted.directory = from.root();
      const engine::client daemon = fixture.daemon();
      auto context = co_await archive::async_open_context(daemon.get_executor(), std::move(wanted));
      engine::build_options options;
      options.tags = {name};
      asio::cancellation_signal stop;
      auto watch = [](std::string what, asio::cancellation_signal& signal) -> asio::awaitable<void> {
        CHECK(co_await comes_to(1, what, std::chrono::seconds(20)));
        signal.emit(asio::cancellation_type::terminal);
      };
      asio::co_spawn(daemon.get_executor(), watch(name, stop), asio::detached);
      std::shared_ptr<byte_source> source = context.pack();
      auto [code, image] = co_await engine::async_build(daemon, source, std::move(options), nullptr,
                                                        asio::bind_cancellation_slot(stop.slot(), no_throw));
      CHECK(co_await comes_to(0, name, std::chrono::seconds(10)));
      co_return code;
    };
    CHECK(engine.run(cancelled(engine, tree, mark)) == condition::cancelled);
    CHECK_FALSE(engine.has_image(mark));
    // The client is as good as new.
    const scratch_tree other;
    other.file("Dockerfile", "FROM " + base_image() + "\n");
    check_built(engine.build(other, engine.tagged("after")));
  }

  TEST_CASE("cancelled by its own listener") {
    engine_fixture engine;
    const scratch_tree tree;
    const std::string mark = engine.name("by-listener");
    tree.file("Dockerfile",
              "FROM " + base_image() + "\nRUN [\"/probe\", \"sleep\", \"5\", \"" + mark + "\"]\n");
    auto cancelled = [](engine_fixture& fixture, const scratch_tree& from,
                        std::string name) -> asio::awaitable<error_code> {
      archive::context_options wanted;
      wanted.directory = from.root();
      const engine::client daemon = fixture.daemon();
      auto context = co_await archive::async_open_context(daemon.get_executor(), std::move(wanted));
      engine::build_options options;
      options.tags = {name};
      options.no_cache = true;
      asio::cancellation_signal stop;
      int later = 0;
      progress::event_sink listener = [&](const progress::event& what) {
        if (std::holds_alternative<progress::step_log>(what.body)) {
          ++later;
          stop.emit(asio::cancellation_type::terminal);
        }
      };
      std::shared_ptr<byte_source> source = context.pack();
      const auto began = std::chrono::steady_clock::now();
      auto [code, image] = co_await engine::async_build(daemon, source, std::move(options), listener,
                                                        asio::bind_cancellation_slot(stop.slot(), no_throw));
      CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(4));
      CHECK(later >= 1);
      co_return code;
    };
    CHECK(engine.run(cancelled(engine, tree, mark)) == condition::cancelled);
    CHECK_FALSE(engine.has_image(mark));
  }

  TEST_CASE("eight builds at once on one client") {
    engine_fixture engine;
    constexpr int count = 8;
    std::vector<std::unique_ptr<scratch_tree>> trees;
    std::vector<std::string> tags;
    base_image();
    for (int i = 0; i < count; ++i) {
      trees.push_back(std::make_unique<scratch_tree>());
      trees.back()->file("tree/mine", "number " + std::to_string(i) + std::string(2 << 20, '.'));
      trees.back()->file("Dockerfile", "FROM " + base_image() + "\nCOPY tree /tree\n");
      tags.push_back(engine.name("many"));
    }
    auto one = [](const engine::client daemon, std::string directory,
                  std::string tag) -> asio::awaitable<std::string> {
      archive::context_options wanted;
      wanted.directory = std::move(directory);
      auto context = co_await archive::async_open_context(daemon.get_executor(), std::move(wanted));
      engine::build_options options;
      options.tags = {std::move(tag)};
      std::shared_ptr<byte_source> source = context.pack();
      auto image = co_await engine::async_build(daemon, source, std::move(options), nullptr);
      co_return image.id;
    };
    std::vector<std::future<std::string>> ids;
    for (std::size_t i = 0; i < count; ++i) {
      ids.push_back(
          asio::co_spawn(engine.loop(), one(engine.daemon(), trees[i]->root(), tags[i]), asio::use_future));
    }
    engine.loop().restart();
    engine.loop().run();
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < count; ++i) {
      seen.push_back(ids[i].get());
      CHECK(arrived(engine, seen.back()) == probe_says({"walk", trees[i]->path("tree")}));
    }
    std::ranges::sort(seen);
    CHECK(std::ranges::adjacent_find(seen) == seen.end());
  }
}

}  // namespace dockline::daemon_test
