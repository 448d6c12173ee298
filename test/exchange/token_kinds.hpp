#pragma once

// One operation of the library, started with each kind of completion token by the library's own function: the
// tokens that a test hands over are the ones that dockline::initiate is given. Each is compiled in the file that
// has the operation's row.

#include "dockline/core/async.hpp"
#include "dockline/core/diagnostics.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dockline::test {

namespace asio = boost::asio;

struct scene;

// What an operation ends with here that was a success with another value than the one that its row knows.
inline error_code wrong_value() {
  return boost::system::errc::make_error_code(boost::system::errc::no_message);
}

// Tells whether a value is the one that was answered.
template <class T>
struct check_of {
  using type = bool (*)(const T&);
};
template <>
struct check_of<void> {
  using type = bool (*)();
};
template <class T>
using value_check = typename check_of<T>::type;

// The outcome of an operation whose code and value are these.
template <class Check, class... T>
error_code checked(Check is_right, error_code code, const T&... value) {
  return !code && !is_right(value...) ? wrong_value() : code;
}

// The handler that an operation is really given: it looks at the value and hands on the outcome. What is associated
// with the one inside, is with it.
template <class T>
struct looking_handler {
  completion_handler<void> inner;
  value_check<T> is_right;

  template <class... Value>
  void operator()(error_code code, Value&&... value) {
    std::move(inner)(checked(is_right, code, value...));
  }
};

// What a coroutine can await an operation with. What asio::experimental::awaitable_operators join is an awaitable,
// and they are told nothing of the operation in it.
enum class awaited_by {
  default_token,  // throws error_with_diagnostics
  use_awaitable,  // throws the code
  as_tuple,
  redirect_error
};

class token_kinds {
 public:
  virtual ~token_kinds() = default;

  // A handler; with the short form of the operation where `why` is null.
  virtual void start(scene& on, diagnostics* why, completion_handler<void> handler) const = 0;

  // In a coroutine; what throws does so out of it. It is made at once, and started when it is awaited.
  virtual asio::awaitable<error_code> await(scene& on, awaited_by how) const = 0;
  // Starts it, and waits for the future when it is called. What throws does so out of that.
  virtual std::function<error_code(std::chrono::seconds longest)> with_use_future(scene& on) const = 0;
  virtual void with_detached(scene& on) const = 0;
  // Not started before it is called.
  virtual std::function<void(completion_handler<void>)> with_deferred(scene& on) const = 0;
};

// What is done with an operation that was started. Written for each kind of value, not for each operation: the
// compiler takes long for these.
template <class T>
asio::awaitable<error_code> outcome_of_awaited(asio::awaitable<T> started, std::shared_ptr<error_code> code,
                                               value_check<T> is_right) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(started);
    co_return *code;
  } else {
    const T value = co_await std::move(started);
    co_return checked(is_right, *code, value);
  }
}

template <class T, class... Parts>
asio::awaitable<error_code> outcome_of_tuple(asio::awaitable<std::tuple<Parts...>> started,
                                             value_check<T> is_right) {
  const std::tuple<Parts...> ended = co_await std::move(started);
  co_return std::apply([&](const auto&... parts) { return checked(is_right, parts...); }, ended);
}

template <class T>
std::function<error_code(std::chrono::seconds)> outcome_of_future(std::future<T> started,
                                                                  value_check<T> is_right) {
  return [future = std::make_shared<std::future<T>>(std::move(started)),
          is_right](std::chrono::seconds longest) -> error_code {
    if (future->wait_for(longest) != std::future_status::ready) return asio::error::timed_out;
    if constexpr (std::is_void_v<T>) {
      future->get();
      return checked(is_right, error_code());
    } else {
      return checked(is_right, error_code(), future->get());
    }
  };
}

// `call` is the operation with all of its arguments but the last two.
template <class Call>
class kinds_of final : public token_kinds {
  using T = typename std::invoke_result_t<Call, scene&>::value_type;
  static_assert(std::is_same_v<std::invoke_result_t<Call, scene&, diagnostics&>, asio::awaitable<T>>,
                "both forms yield the same");

 public:
  kinds_of(Call call, value_check<T> is_right) : call_(std::move(call)), is_right_(is_right) {}

  void start(scene& on, diagnostics* why, completion_handler<void> handler) const override {
    looking_handler<T> looks{std::move(handler), is_right_};
    if (why != nullptr)
      call_(on, *why, std::move(looks));
    else
      call_(on, std::move(looks));
  }

  asio::awaitable<error_code> await(scene& on, awaited_by how) const override {
    auto code = std::make_shared<error_code>();
    switch (how) {
      case awaited_by::default_token: return outcome_of_awaited<T>(call_(on), code, is_right_);
      case awaited_by::use_awaitable:
        return outcome_of_awaited<T>(call_(on, asio::use_awaitable), code, is_right_);
      case awaited_by::as_tuple:
        return outcome_of_tuple<T>(call_(on, asio::as_tuple(asio::use_awaitable)), is_right_);
      case awaited_by::redirect_error: break;
    }
    return outcome_of_awaited<T>(call_(on, asio::redirect_error(asio::use_awaitable, *code)), code,
                                 is_right_);
  }

  std::function<error_code(std::chrono::seconds)> with_use_future(scene& on) const override {
    return outcome_of_future<T>(call_(on, asio::use_future), is_right_);
  }

  void with_detached(scene& on) const override { call_(on, asio::detached); }

  std::function<void(completion_handler<void>)> with_deferred(scene& on) const override {
    auto later = std::make_shared<decltype(call_(on, asio::deferred))>(call_(on, asio::deferred));
    return [later, is_right = is_right_](completion_handler<void> handler) {
      std::move (*later)(looking_handler<T>{std::move(handler), is_right});
    };
  }

 private:
  Call call_;
  value_check<T> is_right_;
};

}  // namespace dockline::test

namespace boost::asio {

template <template <class, class> class Associator, class T, class DefaultCandidate>
struct associator<Associator, dockline::test::looking_handler<T>, DefaultCandidate>
    : Associator<dockline::completion_handler<void>, DefaultCandidate> {
  static auto get(const dockline::test::looking_handler<T>& handler) noexcept {
    return Associator<dockline::completion_handler<void>, DefaultCandidate>::get(handler.inner);
  }
  static auto get(const dockline::test::looking_handler<T>& handler,
                  const DefaultCandidate& candidate) noexcept {
    return Associator<dockline::completion_handler<void>, DefaultCandidate>::get(handler.inner, candidate);
  }
};

}  // namespace boost::asio
