#pragma once

// Every operation that the library offers, behind one type, so that a test of tokens, of cancellation or of
// lifetimes is written once and goes over all of them. test/structure/every_operation.py sees to it that none
// of the public headers is missing.
//
//     const in_table rows{{
//         row(
//             "engine::async_ping",
//             [](scene& on, auto&&... rest) {
//               return engine::async_ping(on.daemon, std::forward<decltype(rest)>(rest)...);
//             },
//             [](const engine::ping_result& pong) { return pong.api_version == "1.41"; }),
//     }};

#include "dockline/archive/build_context.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/client.hpp"

#include "exchange/token_kinds.hpp"
#include "support/fake_daemon.hpp"
#include "support/relay.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <any>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::test {

// What the operations of a test talk to: a daemon, also reached as a service on the web, that gives out access
// tokens and says how it is when it is asked. All else it refuses, or grants, or is silent about.
class stage {
 public:
  enum class answers {
    refusals,
    successes,
    pings,  // silence, but for a ping
    none    // silence
  };

  explicit stage(answers given = answers::refusals);

  // What is answered from now on; a connection on which nothing was answered stays silent.
  void answer_with(answers given) { given_ = given; }

 private:
  std::atomic<answers> given_;

 public:
  fake_daemon daemon;
  relay web;                    // the same by TCP
  archive::scratch_tree files;  // "app/main.py" and "app/Dockerfile"
  archive::build_context context;
};

// What one start of an operation needs. It may go as soon as that has returned.
struct scene {
  scene(const stage& where, const asio::any_io_executor& executor);

  std::shared_ptr<byte_source> source() const;

  // Another client than the daemon's: made when it is first asked for, and as long there as this one.
  template <class Client, class Make>
  Client& own(Make make) {
    const std::lock_guard lock(making_);
    if (!own_.has_value()) own_ = make();
    return std::any_cast<Client&>(own_);
  }

  const stage& on;
  asio::any_io_executor executor;
  engine::client daemon;

 private:
  std::mutex making_;
  std::any own_;
};

// A request that every stage but a silent one grants, with the client that the row's operation has.
using small_request = void (*)(scene& on, completion_handler<void> handler);

struct operation {
  std::string_view name;  // "engine::async_ping"
  std::shared_ptr<const token_kinds> with;
  small_request look = nullptr;
};

// All of the table, by name.
const std::vector<operation>& all_operations();

void ping(scene& on, completion_handler<void> handler);

// Rows for the table, from the file that has this at namespace scope.
struct in_table {
  explicit in_table(std::vector<operation> rows, small_request look = &ping);
};

// For operations without a value.
inline constexpr auto no_value = [] { return true; };

// `call` is the operation with all of its arguments but the last two, which are given by the caller of `call`;
// `is_right` tells whether a value is what success_answers.cpp has for it.
template <class Call, class Check>
operation row(std::string_view name, Call call, Check is_right) {
  return {name, std::make_shared<const kinds_of<Call>>(std::move(call), is_right)};
}

}  // namespace dockline::test
