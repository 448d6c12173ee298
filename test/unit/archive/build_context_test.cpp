#include "dockline/archive/build_context.hpp"

#include "context_helpers.hpp"
#include "scratch_tree.hpp"
#include "support/entries_of.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace dockline::archive {
namespace {

namespace asio = boost::asio;

context_options in(const scratch_tree& tree) {
  context_options options;
  options.directory = tree.root();
  return options;
}

std::vector<tar_item> items_of(const context_options& options) {
  const packed_bytes packed = pack(options);
  CHECK_MESSAGE(!packed.code, packed.why);
  bool ended = false;
  auto items = read_tar(packed.bytes, ended);
  CHECK(ended);
  return items;
}

// 20 GB that take no room: long enough to be in the middle of.
void add_endless_file(const scratch_tree& tree) {
  tree.file("sparse");
  std::filesystem::resize_file(tree.path("sparse"), 20'000'000'000u);
}

}  // namespace

TEST_SUITE("archive/build_context") {
  TEST_CASE("a tree arrives as it is") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n", 0600);
    tree.file("bin/run", "#!/bin/sh\n", 0755);
    tree.file("caf\xC3\xA9/" + std::string(200, 'n'), "long");
    tree.symlink("link", "bin/run");
    const auto items = items_of(in(tree));
    CHECK(lines_of(names_of(items)) ==
          "Dockerfile\nbin/\nbin/run\ncaf\xC3\xA9/\ncaf\xC3\xA9/" + std::string(200, 'n') + "\nlink\n");
    CHECK(items[0].mode == 0600);
    CHECK(items[0].text == "FROM scratch\n");
    CHECK(items[2].mode == 0755);
    CHECK(items[5].type == '2');
    CHECK(items[5].link == "bin/run");
  }

  TEST_CASE("what cannot be found is named") {
    const scratch_tree tree;
    context_options options = in(tree);
    auto opened = open(options);
    CHECK(opened.code == errc::no_dockerfile);
    CHECK(opened.code == condition::invalid_argument);
    CHECK(opened.why.client_message() == tree.path("Dockerfile") + ": No such file or directory");
    options.dockerfile = dockerfile_source::from_path("/nowhere/D");
    CHECK(open(options).code == errc::no_dockerfile);
    tree.directory("Dockerfile");
    options.dockerfile = {};
    opened = open(options);
    CHECK(opened.code == errc::no_dockerfile);
    CHECK(opened.why.client_message() == tree.path("Dockerfile") + ": is a directory");
    options.directory = tree.path("missing");
    opened = open(options);
    CHECK(opened.code == errc::no_such_directory);
    CHECK(opened.why.client_message() == tree.path("missing") + ": No such file or directory");
    tree.file("file");
    options.directory = tree.path("file");
    CHECK(open(options).why.client_message() == tree.path("file") + ": not a directory");
    tree.symlink("loop", "loop");
    options.directory = tree.path("loop");
    CHECK(open(options).code == errc::unreadable_file);
  }

  TEST_CASE("a working directory that is gone is not the root") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.directory("gone");
    const auto home = std::filesystem::current_path();
    std::filesystem::current_path(tree.path("gone"));
    std::filesystem::remove(tree.path("gone"));
    context_options relative;
    relative.directory = ".";
    relative.dockerfile = dockerfile_source::from_text("FROM scratch\n");
    const auto nowhere = open(relative);
    context_options absolute = in(tree);
    const auto there = open(absolute);
    absolute.dockerfile = dockerfile_source::from_path("Dockerfile");
    const auto no_file = open(absolute);
    std::filesystem::current_path(tree.root());
    tree.file("ctx/Dockerfile", "FROM scratch\n");
    context_options below = relative;
    below.working_directory = "./ctx";
    const auto given = open(below);
    std::filesystem::current_path(home);
    CHECK(given.context.directory() == tree.path("ctx"));
    CHECK(nowhere.code == errc::no_such_directory);
    CHECK(nowhere.why.client_message() == ".: the working directory is not there any more");
    CHECK(!there.code);
    CHECK(no_file.code == errc::no_such_directory);
  }

  TEST_CASE("the name of a Dockerfile may be as long as any") {
    const scratch_tree tree;
    const std::string name(255, 'D');
    tree.file(name, "FROM scratch\n");
    tree.file(".dockerignore", "x\n");
    context_options options = in(tree);
    options.dockerfile = dockerfile_source::from_path(tree.path(name));
    const auto opened = open(options);
    CHECK_MESSAGE(!opened.code, opened.why.client_message());
    CHECK(opened.context.ignore_file() == ".dockerignore");
  }

  TEST_CASE("a bad pattern is told with its file, line and text") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    tree.file(".dockerignore", "# comment\n\nfine\n  a[  \n");
    const auto opened = open(in(tree));
    CHECK(opened.code == errc::invalid_pattern);
    CHECK(opened.why.client_message() == ".dockerignore line 4: syntax error in pattern: a[");
  }

  TEST_CASE("16 MiB of a Dockerfile or an ignore file, and no more") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    for (const char* name : {".dockerignore", "Dockerfile"}) {
      CAPTURE(name);
      tree.file(name);
      std::filesystem::resize_file(tree.path(name), (16 << 20) + 1);  // a hole
      const auto opened = open(in(tree));
      CHECK(opened.code == errc::unreadable_file);
      CHECK(opened.why.client_message() == tree.path(name) + ": File too large");
      std::filesystem::remove(tree.path(name));
      tree.symlink(name, "/dev/zero");
      CHECK(open(in(tree)).why.client_message() == tree.path(name) + ": File too large");
      std::filesystem::remove(tree.path(name));
    }
  }

  TEST_CASE("dockerfile, when there is no Dockerfile") {
    const scratch_tree tree;
    tree.file("dockerfile", "FROM a\n");
    CHECK(open(in(tree)).context.dockerfile_name() == "dockerfile");
    tree.file("Dockerfile", "FROM b\n");
    const auto opened = open(in(tree));
    CHECK(opened.context.dockerfile_name() == "Dockerfile");
    CHECK(opened.context.dockerfile_text() == "FROM b\n");
    CHECK(opened.context.directory() == tree.root());
    CHECK(opened.context.ignore_file().empty());
  }

  TEST_CASE("a Dockerfile's path starts at the working directory and goes through links") {
    const scratch_tree tree;
    tree.file("ctx/docker/real", "FROM scratch\n");
    tree.symlink("ctx/Dockerfile", "docker/real");
    tree.symlink("here", "ctx");
    context_options options;
    options.working_directory = tree.root();
    options.directory = "here";
    CHECK(open(options).context.dockerfile_name() == "docker/real");
    options.dockerfile = dockerfile_source::from_path("here/../ctx/docker/real");
    const auto opened = open(options);
    CHECK(opened.context.dockerfile_name() == "docker/real");
    CHECK(opened.context.directory() == tree.path("ctx"));
  }

  TEST_CASE("a Dockerfile from outside or from memory joins under a name of its own") {
    const scratch_tree tree;
    tree.file("ctx/Dockerfile", "FROM ignored\n");
    tree.file("ctx/.dockerignore", "*.log\n");
    tree.file("ctx/a.log");
    tree.file("elsewhere/D", "FROM scratch\n");
    context_options options;
    options.working_directory = tree.root();
    options.directory = "ctx";
    for (const bool memory : {true, false}) {
      options.dockerfile = memory ? dockerfile_source::from_text("FROM scratch\n")
                                  : dockerfile_source::from_path("elsewhere/D");
      const auto opened = open(options);
      const std::string name = opened.context.dockerfile_name();
      CHECK(name.starts_with(".dockerfile."));
      CHECK(name.size() == 32);
      CHECK(opened.context.dockerfile_text() == "FROM scratch\n");
      bool ended = false;
      const auto items = read_tar(drain(*opened.context.pack()).bytes, ended);
      CHECK(ended);
      CHECK(lines_of(names_of(items)) == ".dockerignore\nDockerfile\n" + name + "\n");
      CHECK(items[0].text == "*.log\n\n" + name + "\n");
      CHECK(items[2].text == "FROM scratch\n");
    }
    // Its own ignore file lies beside it.
    tree.file("elsewhere/D.dockerignore", "Dockerfile\n");
    const auto opened = open(options);
    CHECK(opened.context.ignore_file() == tree.path("elsewhere/D.dockerignore"));
    bool ended = false;
    CHECK(lines_of(names_of(read_tar(drain(*opened.context.pack()).bytes, ended))) ==
          ".dockerignore\na.log\n" + opened.context.dockerfile_name() + "\n");
  }

  TEST_CASE("a Dockerfile from memory has the same name in each build") {
    const scratch_tree tree;
    context_options options = in(tree);
    options.dockerfile = dockerfile_source::from_text("FROM scratch\n");
    const std::string name = open(options).context.dockerfile_name();
    CHECK(open(options).context.dockerfile_name() == name);
    options.dockerfile = dockerfile_source::from_text("FROM busybox\n");
    CHECK(open(options).context.dockerfile_name() != name);
  }

  TEST_CASE("extra files are sent whatever the rules say, and take the place of a file") {
    const scratch_tree tree;
    tree.file(".dockerignore", "*.py\n");
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file("b.py", "of the disk", 0755);
    context_options options = in(tree);
    for (const std::string name : {"b.py", "a.py"}) {
      extra_file file;
      file.name = name;
      file.text = "made";
      options.extra_files.push_back(file);
    }
    const auto items = items_of(options);
    REQUIRE(lines_of(names_of(items)) == ".dockerignore\nDockerfile\nb.py\na.py\n");
    // podman reads it, too.
    CHECK(items[0].text == "*.py\n\n!b.py\n!a.py\n");
    CHECK(items[2].text == "made");
    CHECK(items[2].mode == 0755);
    CHECK(items[3].text == "made");
    CHECK(items[3].mode == 0644);
    options.dockerfile = dockerfile_source::from_text("FROM scratch\n");
    const auto laid_over = items_of(options);
    REQUIRE(laid_over.size() == 5);
    CHECK(laid_over[0].text == "*.py\n\n" + laid_over[4].name + "\n\n!b.py\n!a.py\n");
    options.dockerfile = dockerfile_source::alone("FROM scratch\n");
    CHECK(lines_of(names_of(items_of(options))) == "b.py\na.py\nDockerfile\n");
    for (const std::string bad : {"", ".", "..", "a/b", ".dockerignore", "b.py", "Dockerfile"}) {
      for (const bool alone : {true, false}) {
        options.dockerfile = alone ? dockerfile_source::alone("FROM scratch\n") : dockerfile_source();
        options.extra_files[1].name = bad;
        CHECK(open(options).code == errc::invalid_argument);
      }
    }
  }

  TEST_CASE("a Dockerfile alone is the whole context") {
    context_options options;
    options.directory = "/nowhere";
    options.dockerfile = dockerfile_source::alone("FROM scratch\nCOPY a /\n");
    const auto opened = open(options);
    REQUIRE(!opened.code);
    CHECK(opened.context.dockerfile_name() == "Dockerfile");
    CHECK(opened.context.dockerfile_text() == "FROM scratch\nCOPY a /\n");
    CHECK(opened.context.directory().empty());
    CHECK(opened.context.ignore_file().empty());
    for (const auto compress : {compression::none, compression::gzip}) {
      options.compress = compress;
      const packed_bytes packed = pack(options);
      CHECK(!packed.code);
      CHECK(packed.progress.entries == 1);
    }
    options.compress = compression::none;
    const auto items = items_of(options);
    REQUIRE(items.size() == 1);
    CHECK(items[0].name == "Dockerfile");
    CHECK(items[0].text == "FROM scratch\nCOPY a /\n");
    CHECK(items[0].mode == 0600);
  }

  TEST_CASE("reproducible: two trees of equal content give equal bytes") {
    std::string packed[2];
    for (const int which : {0, 1}) {
      const scratch_tree tree;
      tree.file("a", "same", which ? 0600 : 0644);
      tree.file("d/b", "same", 0755);
      std::filesystem::last_write_time(
          tree.path("a"), std::filesystem::file_time_type::clock::now() - std::chrono::hours(which));
      context_options options = in(tree);
      options.reproducible = true;
      options.compress = compression::gzip;
      options.dockerfile = dockerfile_source::from_text("FROM scratch\n");
      packed[which] = pack(options).bytes;
    }
    CHECK(!packed[0].empty());
    CHECK((packed[0] == packed[1]));
  }

  TEST_CASE("a packing can be repeated, and two can be read at the same time") {
    const scratch_tree tree;
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file("big", std::string(300000, 'x'));
    const auto opened = open(in(tree));
    const auto first = opened.context.pack();
    const auto second = opened.context.pack();
    const packed_bytes whole = drain(*first);
    CHECK((drain(*second).bytes == whole.bytes));
    CHECK(whole.progress.entries == 2);
    CHECK(whole.progress.bytes == whole.bytes.size());
    // Read on after the end.
    CHECK(drain(*first).bytes.empty());
  }

  TEST_CASE("an unreadable tree fails while it is packed, by name") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    tree.directory("gone");
    auto opened = open(in(tree));
    std::filesystem::remove_all(tree.root());
    const packed_bytes packed = drain(*opened.context.pack());
    CHECK(packed.code == errc::file_changed);
    CHECK(packed.code == condition::bad_context);
    CHECK(packed.why == "the context's directory: vanished while the context was packed");
  }

  TEST_CASE("a coroutine gets the context, or the failure thrown with its words") {
    const scratch_tree tree;
    asio::io_context loop;
    std::string name;
    std::string thrown;
    const auto try_to_open = [&]() -> asio::awaitable<void> {
      try {
        const build_context context = co_await async_open_context(loop.get_executor(), in(tree));
        name = context.dockerfile_name();
      } catch (const error_with_diagnostics& failure) {
        thrown = failure.what();
      }
    };
    asio::co_spawn(loop, try_to_open, asio::detached);
    loop.run();
    CHECK(thrown == tree.path("Dockerfile") + ": No such file or directory");
    tree.file("Dockerfile");
    loop.restart();
    asio::co_spawn(loop, try_to_open, asio::detached);
    loop.run();
    CHECK(name == "Dockerfile");
  }

  TEST_CASE("work is done where the caller says, and completes at home") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    asio::io_context work;
    asio::io_context home;
    context_options options = in(tree);
    options.work = work.get_executor();
    build_context context;
    bool done = false;
    async_open_context(home.get_executor(), options, [&](error_code code, build_context found) {
      CHECK(!code);
      context = std::move(found);
      done = true;
    });
    home.poll();
    CHECK_FALSE(done);
    CHECK(work.run() > 0);
    CHECK_FALSE(done);
    home.restart();
    home.run();
    CHECK(done);

    for (const compression compress : {compression::none, compression::gzip}) {
      options.compress = compress;
      done = false;
      work.restart();
      home.restart();
      async_open_context(home.get_executor(), options,
                         [&](error_code, build_context found) { context = found; });
      home.poll();
      work.run();
      home.restart();
      home.run();
      const auto source = context.pack();
      std::string block(4096, '\0');
      source->async_read_some(asio::buffer(block),
                              asio::bind_executor(home, [&](error_code code, std::size_t count) {
                                CHECK(!code);
                                CHECK(count > 0);
                                done = true;
                              }));
      CHECK_FALSE(done);
      work.restart();
      work.run();
      CHECK_FALSE(done);
      home.restart();
      home.run();
      CHECK(done);
    }
  }

  TEST_CASE("a handler without an executor may drop everything") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    auto opened = open(in(tree));
    std::shared_ptr<byte_source> source = opened.context.pack();
    std::string block(4096, '\0');
    std::promise<std::size_t> counted;
    std::promise<void> released;
    source->async_read_some(asio::buffer(block), [&, source, context = std::exchange(opened.context, {})](
                                                     error_code, std::size_t count) mutable {
      released.get_future().wait();
      source.reset();
      context = build_context();
      counted.set_value(count);
    });
    source.reset();
    released.set_value();
    CHECK(counted.get_future().get() == 1536);
  }

  TEST_CASE("a read that waits for its turn is cancelled at once") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    for (const compression compress : {compression::none, compression::gzip}) {
      asio::thread_pool opener(1);
      context_options options = in(tree);
      options.compress = compress;
      options.work = opener.get_executor();
      auto context = open(options).context;
      asio::io_context home;
      asio::cancellation_signal cancel;
      // The only thread for work is held until the end.
      std::promise<void> release;
      asio::post(opener, [held = release.get_future().share()] { held.wait(); });
      error_code outcome;
      {
        const auto source = context.pack();
        auto block = std::make_unique<std::string>(4096, '\0');
        source->async_read_some(
            asio::buffer(*block),
            asio::bind_cancellation_slot(cancel.slot(),
                                         asio::bind_executor(home, [&](error_code code, std::size_t) {
                                           outcome = code;
                                           block.reset();
                                         })));
        asio::post(home, [&] { cancel.emit(asio::cancellation_type::terminal); });
        home.run();
        CHECK(outcome == condition::cancelled);
        CHECK(block == nullptr);
      }
      release.set_value();
      opener.join();
    }
  }

  TEST_CASE("a read that runs is cancelled soon, and leaves no descriptor") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    add_endless_file(tree);
    const std::size_t before = test::entries_of("/proc/self/fd");
    for (const compression compress : {compression::none, compression::gzip}) {
      context_options options = in(tree);
      options.compress = compress;
      auto opened = open(options);
      REQUIRE(!opened.code);
      auto source = opened.context.pack();
      asio::io_context home;
      asio::cancellation_signal cancel;
      // Larger than what can be read in the time.
      std::string block(1u << 28, '\0');
      error_code outcome;
      auto asked = std::chrono::steady_clock::now();
      std::chrono::steady_clock::duration waited{};
      source->async_read_some(asio::buffer(block),
                              asio::bind_cancellation_slot(
                                  cancel.slot(), asio::bind_executor(home, [&](error_code code, std::size_t) {
                                    outcome = code;
                                    waited = std::chrono::steady_clock::now() - asked;
                                  })));
      asio::post(home, [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        asked = std::chrono::steady_clock::now();
        cancel.emit(asio::cancellation_type::partial);
      });
      home.run();
      if (compress == compression::none) CHECK(outcome == condition::cancelled);
      CHECK(waited < std::chrono::milliseconds(500));
      source.reset();
      opened.context = build_context();
      CHECK(test::entries_of("/proc/self/fd") == before);
    }
  }

  TEST_CASE("a loop ends while threads work for it") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    add_endless_file(tree);
    const std::size_t before = test::entries_of("/proc/self/fd");
    for (const compression compress : {compression::none, compression::gzip}) {
      context_options options = in(tree);
      options.compress = compress;
      for (int delay = 0; delay < 40; ++delay) {
        const auto kept = std::make_shared<std::string>(std::size_t{1} << 22, '\0');
        {
          std::shared_ptr<byte_source> source;
          asio::io_context home;
          async_open_context(home.get_executor(), options, [&](error_code code, build_context found) {
            CHECK(!code);
            source = found.pack();
            source->async_read_some(asio::buffer(*kept),
                                    asio::bind_executor(home, [kept](error_code, std::size_t) {
                                      FAIL("the loop is not run that far");
                                    }));
          });
          // From before the context is found to the middle of the read.
          if (delay % 4 == 0) {
            home.poll();
          } else {
            home.run_one();
            while (!source) home.run_one();
          }
          std::this_thread::sleep_for(std::chrono::microseconds(20 * delay));
        }
        CHECK(kept.use_count() == 1);
      }
    }
    CHECK(test::entries_of("/proc/self/fd") == before);
  }

  TEST_CASE("a source that is left in the middle stops its jobs") {
    const scratch_tree tree;
    tree.file("Dockerfile");
    add_endless_file(tree);
    const std::size_t before = test::entries_of("/proc/self/fd");
    context_options options = in(tree);
    options.compress = compression::gzip;
    {
      auto opened = open(options);
      auto source = opened.context.pack();
      std::string block(100000, '\0');
      asio::io_context home;
      source->async_read_some(asio::buffer(block),
                              asio::bind_executor(home, [](error_code code, std::size_t) { CHECK(!code); }));
      home.run();
    }
    CHECK(test::entries_of("/proc/self/fd") == before);
  }
}

}  // namespace dockline::archive
