#pragma once

// A daemon that does what a test's script says, over a real Unix socket in a scratch folder. It knows no
// Docker: a script reads requests, writes bytes as the test wants them cut, and ends the connection in one of
// the ways in which connections end.
//
//     fake_daemon daemon([](peer& client) {
//       client.read_request();
//       client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
//       client.wait_for_close();
//     });
//     options.host = daemon.host();
//
// Nothing in it waits longer than ten seconds, and its destructor ends every script, so that no test can
// hang.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dockline::test {

// What no wait of a test is longer than.
inline constexpr std::chrono::seconds patience{10};

// Opened once, by the test or a script, to let the other one go on.
class gate {
 public:
  void open();
  // False when it was not opened in time.
  bool wait(std::chrono::milliseconds longest = patience);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// A folder for one test, removed with all that is in it.
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }

 private:
  std::string path_;
};

struct seen_request {
  std::string head;  // with the empty line that ends it
  std::string body;  // without its framing, up to 1 MiB of it
  std::uint64_t body_bytes = 0;
  bool complete = false;  // the body came to its proper end

  // "POST /v1.41/build?t=a HTTP/1.1"
  std::string line() const { return head.substr(0, head.find("\r\n")); }
};

// What one connection was like for the daemon.
struct seen_connection {
  std::vector<seen_request> requests;
  std::string after;           // bytes read that belong to no request
  bool client_closed = false;  // its end was read
  bool script_done = false;    // the script came to its end
  std::string script_failure;  // else why it did not
};

// Ends a script: the client is gone, or waits for something that does not come.
struct script_broken {
  std::string why;
};

// The daemon's end of a connection, for a script. What fails throws script_broken.
class peer {
 public:
  peer(int descriptor, int stop_descriptor, std::size_t number);
  ~peer();
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  // 0 for the daemon's first connection.
  std::size_t number() const noexcept { return number_; }

  // The head, and the body if it says that there is one.
  const seen_request& read_request();
  // The head only; read_body() may follow.
  const seen_request& read_head();
  const seen_request& read_body();
  // At least `count` bytes of whatever comes, framing included.
  void read_raw(std::size_t count);
  // Takes whatever is there, and waits while there is nothing. Empty when the client has closed.
  std::string take_raw();
  // What came in by read_raw() and was not part of a request.
  const std::string& raw() const noexcept { return input_; }

  void send(std::string_view bytes);
  // The client has read the first part before the second one is sent.
  void send_split(std::string_view bytes, std::size_t at);
  // Pieces of `size` bytes, each read before the next one is sent, and a pause between them.
  void send_pieces(std::string_view bytes, std::size_t size, std::chrono::milliseconds pause = {});
  // Until the client has read everything that was sent.
  void wait_until_read();

  void half_close();
  void close();
  // The client sees ECONNRESET: with a byte of its own unread, which this waits for.
  void reset();

  // Whether the client has not closed its side, as far as can be told now.
  bool sees_open() const;

  void pause(std::chrono::milliseconds time);
  // Reads, and drops, until the client has closed its side.
  void wait_for_close();

  seen_connection take_record();

 private:
  bool fill();  // false at the end
  void wait_for(short events);
  std::string take_input(std::size_t size);
  void read_exactly(std::uint64_t size, seen_request& into);
  std::string read_line();

  int descriptor_;
  int stop_descriptor_;
  std::size_t number_;
  std::string input_;
  seen_connection record_;
};

class fake_daemon {
 public:
  using script = std::function<void(peer&)>;

  // `serve` is run for each connection, in a thread of its own. `backlog` as in listen(); nobody is accepted
  // before `may_accept` is opened, if it is given.
  explicit fake_daemon(script serve, int backlog = 128, std::shared_ptr<gate> may_accept = nullptr);
  ~fake_daemon();
  fake_daemon(const fake_daemon&) = delete;
  fake_daemon& operator=(const fake_daemon&) = delete;

  // A script that is the first one for the first connection, and so on; the last one also for all others.
  static script in_turn(std::vector<script> scripts);

  // "unix:///tmp/…/daemon.sock"
  std::string host() const { return "unix://" + path_; }

  std::size_t accepted() const noexcept { return accepted_; }
  // Waits until every script is over, those of `count` connections at least, and tells what they saw.
  std::vector<seen_connection> wait(std::size_t count = 1);
  // The same for those that came so far. False when one of them stays open.
  bool wait_until_quiet();

 private:
  void accept_all();

  scratch_folder folder_;
  std::string path_;
  script serve_;
  std::shared_ptr<gate> may_accept_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::atomic<std::size_t> accepted_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<seen_connection> seen_;
  std::size_t over_ = 0;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

// "HTTP/1.1 200 OK", the fields of a JSON answer, and the body with its length.
std::string json_answer(std::string_view body, std::string_view status = "200 OK");
// The same with a chunk for each of `parts`.
std::string chunked_answer(const std::vector<std::string>& parts, std::string_view status = "200 OK");

}  // namespace dockline::test
