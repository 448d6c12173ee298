#pragma once

// Methods that are offered to a peer: what is called under which path, and a call as its handler sees it.
//
//     grpc::service offered;
//     offered.add("/moby.filesync.v1.FileSync/DiffCopy", [files](grpc::call call) {
//       return diff_copy(files, call);
//     });
//
//     asio::awaitable<grpc::status> diff_copy(std::shared_ptr<file_tree> files, grpc::call call) {
//       for (;;) {
//         auto message = co_await call.read();
//         if (!message) co_return grpc::status_of(message.error());
//         if (!*message) co_return grpc::status();  // the peer has sent all that it has
//         ...
//         if (auto written = co_await call.write(packet); !written) co_return ...;
//       }
//     }

#include "dockline/core/error.hpp"

#include "core/spawn.hpp"
#include "grpc/metadata.hpp"
#include "grpc/status.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::grpc {

struct call_state;

// One call by the peer, as its handler sees it. A handle: copies are the same call, so that a handler may
// start coroutines of its own with it. It may outlive the call; reads and writes then fail.
//
// All of it happens on the executor of the connection (get_executor(), a strand where there are several
// threads), and handlers run there. Many calls run at once, each in its handler's coroutine, so a handler
// does not block: disk and computation go elsewhere.
//
// The end: when the peer resets the call, its deadline passes, or the connection goes, whatever read() and
// write() wait for completes with operation_aborted, and the handler's coroutine is cancelled as any
// spawned coroutine is (is_cancelled() of core/spawn.hpp is true). The handler then returns, whatever: its
// status reaches nobody. Coroutines that it started itself it has to wait for, as always.
class call {
 public:
  call() = default;
  explicit call(std::shared_ptr<call_state> state) : state_(std::move(state)) {}

  asio::any_io_executor get_executor() const;

  // "/pkg.Service/Method"
  const std::string& path() const noexcept;

  // What the peer sent with the call, without the names that are the protocol's own.
  const metadata& request_metadata() const noexcept;

  // The next message of the peer; empty when it has sent all of them. One read at a time, beside one write.
  // Only what is read makes room for more: a handler that does not read holds the peer back.
  // Errors: operation_aborted; errc::message_too_long, errc::malformed_message and
  // errc::connection_lost (cut inside a message), after which the call fails by itself.
  task<std::optional<std::string>> read();

  // Sends one message, made of both parts. Returns when all of it is in the buffers of the connection, which
  // are bounded: a peer that does not read holds the handler back. What the parts point to stays until then.
  // One write at a time, beside one read.
  // Errors: operation_aborted.
  task<void> write(std::string_view message, std::string_view rest = {});

  // The messages that are written from now on are overwritten in memory once they were sent.
  void keep_secret();
  bool secret() const noexcept;

  // What goes with the status, when the call ends.
  void add_trailer(std::string name, std::string value);

  // Whether the peer has ended the call, or its time is up.
  bool ended() const noexcept;

 private:
  std::shared_ptr<call_state> state_;
};

// Does a call and returns its status; an exception is status_code::internal. It is copied for each call, and
// the copy lives until the coroutine is over: what a lambda captures is safe to use in it.
using handler = std::function<asio::awaitable<status>(call)>;

// The answer to a call that has one message each way.
struct reply {
  reply() = default;
  reply(status what) : outcome(std::move(what)) {}         // NOLINT: a status is an answer
  reply(std::string bytes) : message(std::move(bytes)) {}  // NOLINT: so is a message

  status outcome;
  std::string message;  // sent when the outcome is ok
};

// Turns a function of the request's bytes into a handler. No request, or more than one, is an error that
// the function does not see.
handler unary(std::function<asio::awaitable<reply>(call, std::string request)> answer);

// Methods by path.
class service {
 public:
  service() = default;

  // The last one counts.
  void add(std::string path, handler does) { methods_.insert_or_assign(std::move(path), std::move(does)); }

  // Null when there is none.
  const handler* find(std::string_view path) const {
    const auto found = methods_.find(path);
    return found == methods_.end() ? nullptr : &found->second;
  }

  std::vector<std::string> paths() const {
    std::vector<std::string> names;
    names.reserve(methods_.size());
    for (const auto& [path, does] : methods_) names.push_back(path);
    return names;
  }

 private:
  std::map<std::string, handler, std::less<>> methods_;
};

}  // namespace dockline::grpc
