// Whole builds through a session over real sockets: the daemon takes the session, reads the files, and tells of
// its steps; and each way in which that may go wrong.

#include "exchange/buildkit/scripted_buildkit.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace dockline::test {
namespace {

std::size_t resident() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  file >> all >> pages;
  return pages * 4096;
}

}  // namespace

TEST_SUITE("exchange/session build") {
  TEST_CASE("the daemon reads the files and tells of the image") {
    const held before;
    {
      scripted_buildkit buildkit;
      in_build talk(buildkit.daemon);
      const auto seen = talk.session_build();
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.image_id == image_id);
      CHECK(seen.value.builder == buildkit::builder_kind::buildkit);
      CHECK(talk.news.steps == std::vector<std::string>{"start [1/1] RUN make", "done"});
      CHECK(talk.news.complete);
      CHECK(talk.news.sent > big_file);
      const auto records = buildkit.daemon.wait(2);
      for (const auto& record : records) CHECK(record.script_failure == "");
      CHECK(records[0].client_closed);
      CHECK(buildkit.files.at("dockerfile/Dockerfile") == "FROM scratch\n");
      CHECK(buildkit.files.at("context/dir/small") == "small");
      CHECK(buildkit.files.at("context/big") == std::string(big_file, 'b'));
      const std::string& session = records[0].requests[0].head;
      const std::string id = session.substr(session.find("Session-Uuid: ") + 14, 32);
      CHECK(buildkit.build_line.find("session=" + id) != std::string::npos);
      CHECK(buildkit.build_line.find("version=2") != std::string::npos);
      CHECK(buildkit.build_line.find("remote=client-session") != std::string::npos);
      CHECK(buildkit.cancels == 0);
    }
    before.check_nothing_left();
  }

  TEST_CASE("a daemon that drops the session, wherever that is, is told of") {
    const held before;
    for (const at place : {at::session_open, at::files_listed, at::upload_begun, at::files_read}) {
      for (const bool hard : {false, true}) {
        // A reset needs something on its way.
        if (hard && place != at::upload_begun) continue;
        CAPTURE(static_cast<int>(place));
        CAPTURE(hard);
        scripted_buildkit buildkit(place, [&](peer& client, asking_daemon*) {
          if (hard) client.reset();
          client.close();
        });
        in_build talk(buildkit.daemon);
        const auto seen = talk.session_build();
        CHECK(seen.code == errc::connection_lost);
        CHECK(seen.words().find("the session with the daemon ended: the other side closed the connection") !=
              std::string::npos);
        CHECK(talk.news.steps == std::vector<std::string>{"start [1/1] RUN make", "cancelled"});
      }
    }
    before.check_nothing_left();
  }

  TEST_CASE("frames that break the rules, wherever they come") {
    const held before;
    const std::string broken[] = {
        std::string("\xff\xff\xff\0\0\0\0\0\1", 9),
        std::string("\0\0\1\0\0\0\0\1\7x", 10),
        std::string("\0\0\6\1\4\0\0\1\1\xff\xff\xff\xff\xff\xff", 15),
    };
    for (const at place : {at::session_open, at::files_listed, at::upload_begun, at::files_read}) {
      for (const std::string& frame : broken) {
        CAPTURE(static_cast<int>(place));
        scripted_buildkit buildkit(place, [&](peer& client, asking_daemon*) {
          client.send(frame);
          client.wait_for_close();
        });
        in_build talk(buildkit.daemon);
        const auto seen = talk.session_build();
        CHECK(seen.code == errc::malformed_http2);
        CHECK(seen.words().find("the session with the daemon ended: the other side ") != std::string::npos);
      }
    }
    before.check_nothing_left();
  }

  TEST_CASE("a daemon that asks for everything without end, and reads none of it, holds a bounded part") {
    const held before;
    std::size_t most_descriptors = 0;
    std::size_t most_memory = 0;
    const std::size_t memory = resident();
    scripted_buildkit buildkit(at::session_open, [&](peer& client, asking_daemon* asks) {
      asks->keeps_messages = false;
      std::string message;
      buildkit::append_request(message, 1);
      for (int i = 0; i < 400; ++i) {
        const auto id = asks->begin(diff_copy_path, {{"dir-name", "context"}});
        asks->write(id, message);
      }
      // As long as anything comes that is let in: the windows are never opened again.
      asks->flush();
      // What it will hold is there soon, but for a machine that is busy; more than that might come a little later.
      const auto end = std::chrono::steady_clock::now() + patience;
      const auto enough = before.descriptors + 2 * 128;
      while (entries_of("/proc/self/fd") < enough && std::chrono::steady_clock::now() < end)
        client.pause(10ms);
      client.pause(300ms);
      most_descriptors = entries_of("/proc/self/fd");
      most_memory = resident();
      client.close();
    });
    {
      in_build talk(buildkit.daemon);
      CHECK(talk.session_build().code == errc::connection_lost);
    }
    // 128 of them at once: a descriptor for the file and one for its directory, half a MiB on its way.
    CHECK(most_descriptors < before.descriptors + 2 * 128 + 20);
    CHECK(most_descriptors > before.descriptors + 100);
    CHECK(most_memory < memory + resident_for_each * (std::size_t{128} << 20));
  }

  TEST_CASE("cancelled at every place, by every type: the daemon is told, nothing is left") {
    const held before;
    for (const at place : everywhere) {
      for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                              asio::cancellation_type::total}) {
        CAPTURE(static_cast<int>(place));
        CAPTURE(static_cast<int>(type));
        gate there;
        scripted_buildkit buildkit(place, [&](peer& client, asking_daemon*) {
          there.open();
          client.wait_for_close();
        });
        in_build talk(buildkit.daemon);
        const auto seen = talk.begin_session_build();
        run_until(talk.context, there);
        REQUIRE(seen->completions == 0);
        talk.cancel.emit(type);
        talk.run();
        CHECK(seen->completions == 1);
        CHECK(seen->code == condition::cancelled);
        CHECK(buildkit.cancels == (place == at::session_asked ? 0 : 1));
        if (place == at::step_running)
          CHECK(talk.news.steps == std::vector<std::string>{"start [1/1] RUN make", "cancelled"});
        CHECK(buildkit.daemon.wait()[0].client_closed);
      }
    }
    before.check_nothing_left();
  }

  TEST_CASE("the loop goes away at every place: nothing completes, nothing is left") {
    const held before;
    for (const at place : everywhere) {
      CAPTURE(static_cast<int>(place));
      gate there;
      scripted_buildkit buildkit(place, [&](peer& client, asking_daemon*) {
        there.open();
        client.wait_for_close();
      });
      std::weak_ptr<session_outcome> seen;
      {
        in_build talk(buildkit.daemon);
        seen = talk.begin_session_build();
        run_until(talk.context, there);
        REQUIRE_FALSE(seen.expired());
        CHECK(seen.lock()->completions == 0);
      }
      CHECK(seen.expired());
    }
    before.check_nothing_left();
  }
}

}  // namespace dockline::test
