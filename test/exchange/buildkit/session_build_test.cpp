// Whole builds through a session over real sockets: the daemon takes the session, reads the files, and tells of
// its steps; and each way in which that may go wrong.

#include "dockline/buildkit/build.hpp"

#include "buildkit/packet.hpp"
#include "core/encoding.hpp"
#include "exchange/buildkit/in_session.hpp"
#include "support/status_response.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::test {
namespace {

constexpr auto check_path = "/grpc.health.v1.Health/Check";
constexpr auto diff_copy_path = "/moby.filesync.v1.FileSync/DiffCopy";
constexpr std::size_t big_file = 3'000'000;

std::string trace_of(const status_response& what) {
  return R"({"id":"moby.buildkit.trace","aux":")" + encode_base64(what.bytes()) + "\"}\r\n";
}

std::string running_step() {
  return trace_of(status_response().vertex("v1", "[1/1] RUN make", 1000).log("v1", 1, "going\n", 1500));
}

std::string chunk(std::string_view text) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return size.data() + std::string(text) + "\r\n";
}

const std::string build_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

// Where the daemon's part of the conversation may stop, or turn against the client.
enum class at {
  session_asked,  // POST /session has no answer yet
  session_open,   // nothing was asked in it
  build_asked,    // POST /build has no answer yet
  files_listed,   // the list has come, nothing was asked for
  upload_begun,   // a piece of a large file has come
  files_read,     // all of it, by both sides' word
  step_running,   // the build's answer has begun
  nowhere
};
constexpr std::array<at, 7> everywhere = {at::session_asked, at::session_open, at::build_asked,
                                          at::files_listed,  at::upload_begun, at::files_read,
                                          at::step_running};

// One build of a scripted BuildKit. The session's connection and the build's are served by threads of their own.
class scripted_buildkit {
 public:
  // At `place` the session's script calls `turn`, in the place of all that would follow. (The build's does, where
  // the place is one of its own.)
  explicit scripted_buildkit(at place = at::nowhere, std::function<void(peer&, asking_daemon*)> turn = {})
      : place_(place), turn_(std::move(turn)), daemon([this](peer& client) { serve(client); }) {}

  std::map<std::string, std::string> files;  // what was read, by "context/path"
  std::string build_line;
  std::atomic<int> cancels = 0;
  std::atomic<bool> session_up = false;
  std::string build_end = chunk(R"({"errorDetail":{"message":"context canceled"},"error":"context canceled"})"
                                "\r\n");

 private:
  struct stopped {};

  void reach(at place, peer& client, asking_daemon* asks = nullptr) {
    if (place != place_) return;
    turn_(client, asks);
    throw stopped();
  }

  void serve(peer& client) {
    const std::string head = client.read_request().head;
    try {
      if (head.find("/session HTTP") != head.npos) {
        session(client);
      } else if (head.find("/build/cancel?") != head.npos) {
        ++cancels;
        client.send(json_answer("{}"));
      } else {
        build_line = head.substr(0, head.find("\r\n"));
        build(client);
      }
    } catch (const stopped&) {
      let_others_go();
    } catch (const script_broken&) {
      let_others_go();
      throw;
    }
  }

  void let_others_go() {
    build_asked_.open();
    fate_.open();
  }

  void session(peer& client) {
    reach(at::session_asked, client);
    session_up = true;
    client.send(session_answer);
    asking_daemon asks(client);
    if (asks.ask(check_path, "").status != "0") throw script_broken{"no health"};
    reach(at::session_open, client, &asks);
    build_asked_.wait();
    if (place_ == at::build_asked) return client.wait_for_close();
    read_files(client, asks, "dockerfile");
    read_files(client, asks, "context");
    reach(at::files_read, client, &asks);
    fate_.open();
    while (asks.step()) {
    }
  }

  // As fsutil's receiver does.
  void read_files(peer& client, asking_daemon& asks, const std::string& directory) {
    const bool context = directory == "context";
    const auto id = asks.begin(diff_copy_path, {{"dir-name", directory}});
    std::size_t read = 0;
    const auto next = [&](buildkit::packet& one) {
      while (asks.answers[id].messages.size() == read) {
        if (!asks.answers[id].closed.empty() || !asks.step()) throw script_broken{"the transfer ended"};
      }
      text_ = asks.answers[id].messages[read++];
      if (!buildkit::read_packet(text_, one)) throw script_broken{"no packet"};
    };
    buildkit::packet one;
    std::vector<std::pair<std::uint32_t, std::string>> wanted;
    for (std::uint32_t place = 0;; ++place) {
      next(one);
      if (!one.has_stat) break;
      if ((one.stat.mode & buildkit::go_mode::type) == 0) wanted.emplace_back(place, one.stat.path);
    }
    if (context) reach(at::files_listed, client, &asks);
    std::string message;
    for (const auto& [place, path] : wanted) {
      std::string& text = files[directory + "/" + path];
      buildkit::append_request(message, place);
      asks.write(id, std::exchange(message, {}));
      for (next(one); !one.data.empty(); next(one)) {
        text += one.data;
        if (path == "big") reach(at::upload_begun, client, &asks);
      }
    }
    buildkit::append_fin(message);
    asks.write(id, message);
    next(one);
    asks.finish(id);
    if (one.type != buildkit::packet_type::fin || asks.wait(id).status != "0") throw script_broken{"no end"};
  }

  void build(peer& client) {
    if (!session_up) throw script_broken{"the build came before its session"};
    if (place_ == at::build_asked) build_asked_.open();
    reach(at::build_asked, client);
    client.send(build_head);
    build_asked_.open();
    fate_.wait();
    client.send(chunk(running_step()));
    if (place_ != at::nowhere && place_ != at::step_running) {
      // A daemon whose session is gone ends the build.
      client.send(build_end + "0\r\n\r\n");
      return client.wait_for_close();
    }
    reach(at::step_running, client);
    client.send(chunk(trace_of(status_response().vertex("v1", "[1/1] RUN make", 1000, 3000))));
    client.send(chunk(R"({"id":"moby.image.id","aux":{"ID":")" + image_id + "\"}}\r\n") + "0\r\n\r\n");
  }

  at place_;
  std::function<void(peer&, asking_daemon*)> turn_;
  std::string text_;
  gate build_asked_;
  gate fate_;

 public:
  fake_daemon daemon;
};

struct told {
  std::vector<std::string> steps;
  std::uint64_t sent = 0;
  bool complete = false;

  void take(const progress::event& what) {
    if (const auto* one = std::get_if<progress::step_started>(&what.body))
      steps.push_back("start " + one->title);
    if (std::get_if<progress::step_finished>(&what.body) != nullptr) steps.emplace_back("done");
    if (const auto* one = std::get_if<progress::step_failed>(&what.body))
      steps.emplace_back(one->cancelled ? "cancelled" : "failed");
    if (const auto* one = std::get_if<progress::context_progress>(&what.body)) {
      sent = one->bytes_sent;
      complete = one->complete;
    }
  }
};

using session_outcome = outcome<buildkit::build_result>;

class in_build : public conversation {
 public:
  explicit in_build(const fake_daemon& other) : conversation(other) {
    tree.file("Dockerfile", "FROM scratch\n");
    tree.file("big", std::string(big_file, 'b'));
    tree.file("dir/small", "small");
  }

  std::shared_ptr<session_outcome> begin_session_build() {
    archive::context_options what;
    what.directory = tree.root();
    archive::build_context opened;
    archive::async_open_context(context.get_executor(), what,
                                [&](error_code code, archive::build_context made) {
                                  CHECK(!code);
                                  opened = std::move(made);
                                });
    run();
    return begin<buildkit::build_result>([&](diagnostics& why, auto token) {
      progress::event_sink sink = [this](const progress::event& what_happened) { news.take(what_happened); };
      buildkit::async_build(daemon, std::move(opened), buildkit::build_options(), std::move(sink), why,
                            std::move(token));
    });
  }
  session_outcome session_build() {
    auto seen = begin_session_build();
    run();
    REQUIRE(seen->completions == 1);
    return std::move(*seen);
  }

  archive::scratch_tree tree;
  told news;
};

std::size_t entries_of(const char* folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

std::size_t resident() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  file >> all >> pages;
  return pages * 4096;
}

void run_until(asio::io_context& context, gate& there) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!there.wait(0ms) && std::chrono::steady_clock::now() < end) context.run_for(1ms);
  // What the daemon sent is on its way to the operation.
  context.run_for(5ms);
}

// What a process may forget to give back.
struct held {
  std::size_t descriptors = entries_of("/proc/self/fd");
  std::size_t threads = entries_of("/proc/self/task");

  void check_nothing_left() const {
    CHECK(entries_of("/proc/self/fd") == descriptors);
    CHECK(entries_of("/proc/self/task") == threads);
  }
};

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
    CHECK(most_memory < memory + (std::size_t{128} << 20));
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
