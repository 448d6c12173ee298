#pragma once

// Every operation that the library offers, behind one type, so that a test of tokens, of cancellation or of
// lifetimes is written once and goes over all of them. test/structure/every_operation.py sees to it that none
// of the public headers is missing.
//
//     const in_table rows{{
//         row("engine::async_ping", [](scene& on, auto&&... rest) {
//           return engine::async_ping(on.daemon, std::forward<decltype(rest)>(rest)...);
//         }),
//     }};

#include "dockline/archive/build_context.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/client.hpp"

#include "support/fake_daemon.hpp"
#include "support/relay.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace dockline::test {

namespace asio = boost::asio;

// What the operations of a test talk to: a daemon, also reached as a service on the web, that gives out access
// tokens and refuses all else, or is silent, at once or after it said what it is.
class stage {
 public:
  enum class answers { refusals, pings, none };

  explicit stage(answers given = answers::refusals);

  fake_daemon daemon;
  relay web;                    // the same by TCP
  archive::scratch_tree files;  // "app/main.py" and "app/Dockerfile"
  archive::build_context context;
};

// What one start of an operation needs. It may go as soon as that has returned.
struct scene {
  scene(const stage& where, const asio::any_io_executor& executor);

  std::shared_ptr<byte_source> source() const;

  const stage& on;
  asio::any_io_executor executor;
  engine::client daemon;
};

// The handler of an operation whose value does not matter: what is associated with the one inside, with it.
struct without_value {
  completion_handler<void> inner;

  template <class... T>
  void operator()(error_code code, T&&...) {
    std::move(inner)(code);
  }
};

// What is to be known of an operation that is not left to come to its end.
enum class manner {
  plain,
  takes_back  // cancelled, it looks after what it may have made, for which some seconds are taken
};

struct operation {
  std::string_view name;  // "engine::async_ping"
  // Starts it, in its short form where `why` is null.
  std::function<void(scene& on, diagnostics* why, completion_handler<void> handler)> start;
  manner how = manner::plain;
};

// All of the table, by name.
const std::vector<operation>& all_operations();

// Rows for the table, from the file that has this at namespace scope.
struct in_table {
  explicit in_table(std::vector<operation> rows);
};

// That an operation, in both of its forms, gives what each kind of token promises.
template <class Call>
constexpr bool has_both_forms() {
  using awaited = std::invoke_result_t<Call, scene&>;
  using T = typename awaited::value_type;
  using in_tuple = std::conditional_t<std::is_void_v<T>, std::tuple<error_code>,
                                      std::tuple<error_code, std::conditional_t<std::is_void_v<T>, int, T>>>;
  constexpr auto tuple_token = asio::as_tuple(asio::use_awaitable);
  using tuple_token_type = std::decay_t<decltype(tuple_token)>;
  return std::is_same_v<awaited, asio::awaitable<T>> &&
         std::is_same_v<std::invoke_result_t<Call, scene&, diagnostics&>, asio::awaitable<T>> &&
         std::is_same_v<std::invoke_result_t<Call, scene&, asio::use_awaitable_t<>>, asio::awaitable<T>> &&
         std::is_same_v<std::invoke_result_t<Call, scene&, diagnostics&, asio::use_future_t<>>,
                        std::future<T>> &&
         std::is_same_v<std::invoke_result_t<Call, scene&, diagnostics&, tuple_token_type>,
                        asio::awaitable<in_tuple>> &&
         std::is_void_v<std::invoke_result_t<Call, scene&, without_value>>;
}

// `call` is the operation with all of its arguments but the last two, which are given by the caller of `call`.
template <class Call>
operation row(std::string_view name, Call call, manner how = manner::plain) {
  static_assert(has_both_forms<Call>());
  return {name,
          [call](scene& on, diagnostics* why, completion_handler<void> handler) {
            if (why != nullptr)
              call(on, *why, without_value{std::move(handler)});
            else
              call(on, without_value{std::move(handler)});
          },
          how};
}

}  // namespace dockline::test

namespace boost::asio {

template <template <class, class> class Associator, class DefaultCandidate>
struct associator<Associator, dockline::test::without_value, DefaultCandidate>
    : Associator<dockline::completion_handler<void>, DefaultCandidate> {
  static auto get(const dockline::test::without_value& handler) noexcept {
    return Associator<dockline::completion_handler<void>, DefaultCandidate>::get(handler.inner);
  }
  static auto get(const dockline::test::without_value& handler, const DefaultCandidate& candidate) noexcept {
    return Associator<dockline::completion_handler<void>, DefaultCandidate>::get(handler.inner, candidate);
  }
};

}  // namespace boost::asio
