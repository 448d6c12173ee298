#pragma once

// A BuildKit that builds by a script, and a client of it.

#include "dockline/archive/build_context.hpp"
#include "dockline/buildkit/build.hpp"

#include "buildkit/packet.hpp"
#include "core/encoding.hpp"
#include "exchange/buildkit/in_session.hpp"
#include "support/entries_of.hpp"
#include "support/status_response.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>
#include <protozero/pbf_writer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::test {

inline constexpr auto diff_copy_path = "/moby.filesync.v1.FileSync/DiffCopy";
inline constexpr std::size_t big_file = 3'000'000;

inline std::string trace_of(const status_response& what) {
  return R"({"id":"moby.buildkit.trace","aux":")" + encode_base64(what.bytes()) + "\"}\r\n";
}

inline std::string running_step() {
  return trace_of(status_response().vertex("v1", "[1/1] RUN make", 1000).log("v1", 1, "going\n", 1500));
}

inline std::string chunk(std::string_view text) {
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return size.data() + std::string(text) + "\r\n";
}

// An answer after which the script ends: a client that took the connection for its next request would lose that one.
inline std::string last(std::string answer) {
  return answer.insert(answer.find("\r\n"), "\r\nConnection: close");
}

inline const std::string build_head =
    last("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");

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
inline constexpr std::array<at, 7> everywhere = {at::session_asked, at::session_open, at::build_asked,
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
  std::string build_body;
  bool asks_for_files = true;  // not where the context is none of the client's
  std::string exported;        // the result, which the session gets a moment after the build's end was told
  bool wants_files = true;     // the client asks for it
  bool exports_files = false;  // the result is a directory with a file "a"
  std::atomic<int> cancels = 0;
  std::atomic<bool> session_up = false;
  std::string inspected = json_answer(R"({"message":"No such image"})", "404 Not Found");  // the image
  std::vector<std::string> pushes;  // their heads, one after the other
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
    const seen_request& request = client.read_request();
    const std::string head = request.head;
    try {
      if (head.find("/session HTTP") != head.npos) {
        session(client);
      } else if (head.find("/build/cancel?") != head.npos) {
        ++cancels;
        client.send(last(json_answer("{}")));
      } else if (head.find("/push?") != head.npos) {
        pushes.push_back(head);
        client.send(
            last(chunked_answer({R"({"progressDetail":{},"aux":{"Tag":"1","Digest":")" + image_digest +
                                 R"(","Size":527}})"
                                 "\r\n"})));
      } else if (head.starts_with("GET ")) {
        client.send(last(inspected));
      } else {
        build_line = head.substr(0, head.find("\r\n"));
        build_body = request.body;
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
    if (asks_for_files) {
      read_files(client, asks, "dockerfile");
      read_files(client, asks, "context");
    }
    reach(at::files_read, client, &asks);
    fate_.open();
    if (!exported.empty() && exports_files) send_files(asks);
    if (!exported.empty() && !exports_files) send_result(client, asks);
    while (asks.step()) {
    }
  }

  void send_result(peer& client, asking_daemon& asks) {
    client.pause(std::chrono::milliseconds(200));
    const auto id = asks.begin("/moby.filesync.v1.FileSend/DiffCopy", {});
    std::string message;
    protozero::pbf_writer(message).add_bytes(1, exported);
    asks.write(id, message);
    asks.finish(id);
  }

  // As fsutil's sender does, for BuildKit, which cancels the call before its own last word is sent.
  void send_files(asking_daemon& asks) {
    const auto id = asks.begin("/moby.filesync.v1.FileSend/DiffCopy", {});
    buildkit::file_stat file;
    file.path = "a";
    file.mode = 0644;
    std::string message;
    buildkit::append_stat(message, &file);
    asks.write(id, std::exchange(message, {}));
    asks.write(id, {});
    const auto hear = [&](std::size_t count) {
      while (asks.answers[id].messages.size() < count) {
        if (!asks.answers[id].closed.empty() || !asks.step()) throw script_broken{"the transfer ended"};
      }
    };
    if (wants_files) {
      hear(1);
      buildkit::append_data_head(message, 0, exported.size());
      asks.write(id, std::exchange(message, {}) + exported);
      buildkit::append_data_head(message, 0, 0);
      asks.write(id, message);
    }
    hear(wants_files ? 2 : 1);
    asks.reset(id);
    asks.flush();
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

  session_outcome archive_build(std::shared_ptr<byte_source> archive, buildkit::build_options options = {}) {
    return operation<buildkit::build_result>([&](diagnostics& why, auto token) {
      progress::event_sink sink = [this](const progress::event& what_happened) { news.take(what_happened); };
      buildkit::async_build_archive(daemon, std::move(archive), std::move(options), std::move(sink), why,
                                    std::move(token));
    });
  }
  // What the tree is as a tar.
  std::shared_ptr<byte_source> tar() {
    archive::context_options what;
    what.directory = tree.root();
    what.compress = archive::compression::none;
    archive::build_context opened;
    archive::async_open_context(context.get_executor(), what,
                                [&](error_code, archive::build_context made) { opened = std::move(made); });
    run();
    return opened.pack();
  }

  archive::scratch_tree tree;
  told news;
};

// What a process may forget to give back.
struct held {
  std::size_t descriptors = entries_of("/proc/self/fd");
  std::size_t threads = entries_of("/proc/self/task");

  void check_nothing_left() const {
    CHECK(entries_of("/proc/self/fd") == descriptors);
    CHECK(entries_of("/proc/self/task") == threads);
  }
};

}  // namespace dockline::test
