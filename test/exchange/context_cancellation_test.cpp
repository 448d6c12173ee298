// A build is cancelled while its context is looked for, walked, matched, read, compressed or handed over: it
// is over in 50 ms, and leaves neither thread nor descriptor.

#include "dockline/archive/build_context.hpp"

#include "exchange/conversation.hpp"
#include "support/entries_of.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

namespace dockline::test {
namespace {

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

struct place {
  const char* name;
  std::function<void(const std::string& folder)> fill;
  archive::compression compress = archive::compression::none;
  int level = 1;
  bool drained = true;  // by the daemon
};

// A large file that takes no room.
void make_sparse(const std::string& path) {
  write_text(path, "");
  std::filesystem::resize_file(path, std::uintmax_t{20} << 30);
}

const std::vector<place> places = {
    {"a file is read and sent", [](const std::string& folder) { make_sparse(folder + "/large"); }},
    {"a file is compressed", [](const std::string& folder) { make_sparse(folder + "/large"); },
     archive::compression::gzip, 9},
    {"the daemon does not read", [](const std::string& folder) { make_sparse(folder + "/large"); },
     archive::compression::none, 1, false},
    {"small files are walked",
     [](const std::string& folder) {
       for (int i = 0; i < 100; ++i) {
         const std::string below = folder + "/d" + std::to_string(i);
         std::filesystem::create_directory(below);
         for (int j = 0; j < 200; ++j) write_text(below + "/f" + std::to_string(j), "x");
       }
     }},
    {"names are matched, and none is sent",
     [](const std::string& folder) {
       std::string rules = "!Dockerfile\nf*\n";
       for (int i = 0; i < 300; ++i) rules += "**/x" + std::to_string(i) + "*y?z/**\n";
       write_text(folder + "/.dockerignore", rules);
       for (int i = 0; i < 20'000; ++i) write_text(folder + "/f" + std::to_string(i), "");
     }},
};

}  // namespace

TEST_SUITE("exchange/context_cancellation") {
  TEST_CASE("over in 50 ms, with nothing left, wherever the context is") {
    for (const auto& where : places) {
      CAPTURE(std::string(where.name));
      scratch_folder scratch;
      const std::string folder = scratch / "context";
      std::filesystem::create_directory(folder);
      write_text(folder + "/Dockerfile", "FROM scratch\n");
      where.fill(folder);
      fake_daemon daemon([&](peer& client) {
        client.read_head();
        if (!where.drained) client.pause(150ms);
        client.wait_for_close();
      });
      // A machine that is busy elsewhere may hold up one of them, not all.
      auto soonest = std::chrono::steady_clock::duration::max();
      int ended = 0;
      for (const auto after : {5ms, 20ms, 60ms}) {
        const std::size_t descriptors = entries_of("/proc/self/fd");
        const std::size_t threads = entries_of("/proc/self/task");
        {
          conversation talk(daemon);
          archive::context_options options;
          options.directory = folder;
          options.compress = where.compress;
          options.compression_level = where.level;
          auto opened = talk.operation<archive::build_context>([&](diagnostics& why, auto token) {
            archive::async_open_context(talk.context.get_executor(), options, why, std::move(token));
          });
          REQUIRE(opened.words() == error_code().message());
          const auto seen = talk.begin_build(opened.value.pack());
          opened.value = archive::build_context();
          talk.context.run_for(after);
          if (seen->completions > 0) {
            ++ended;
            continue;
          }
          const auto before = std::chrono::steady_clock::now();
          talk.cancel.emit(asio::cancellation_type::terminal);
          talk.context.restart();
          while (seen->completions == 0 && talk.context.run_one_for(patience) > 0) {
          }
          soonest = std::min(soonest, std::chrono::steady_clock::now() - before);
          CHECK(seen->code == condition::cancelled);
          talk.run();
        }
        // The daemon's own end of the connection is closed by its thread.
        for (int i = 0; i < 500 && entries_of("/proc/self/task") > threads; ++i) ::usleep(2000);
        for (int i = 0; i < 500 && entries_of("/proc/self/fd") > descriptors; ++i) ::usleep(2000);
        CHECK(entries_of("/proc/self/fd") <= descriptors);
      }
      CHECK(ended < 3);
      MESSAGE(std::string(where.name)
              << ": over after " << std::chrono::duration_cast<std::chrono::microseconds>(soonest).count()
              << " us");
      CHECK(soonest <= prompt);
    }
  }
}

}  // namespace dockline::test
