#pragma once

// How every operation of the library is offered: a completion token in the header becomes an erased handler,
// and a compiled function does the work. With the short form of an operation (no diagnostics given) and the
// default token, `co_await` throws error_with_diagnostics, so that what() says what the daemon said.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace dockline {

// The signature with which an operation that yields a T completes; T may be void.
template <class T>
struct completion_of {
  using signature = void(error_code, T);  // the value counts without an error only
};
// The same where there is no value.
template <>
struct completion_of<void> {
  using signature = void(error_code);  // the code alone
};
// That signature by itself.
template <class T>
using completion_signature = typename completion_of<T>::signature;

// The erased handler of an operation that yields a T.
template <class T>
using completion_handler = boost::asio::any_completion_handler<completion_signature<T>>;

// A token adapter: the operation throws error_with_diagnostics (or hands it over as an exception_ptr) where
// `Token` alone would give a bare code. `with_diagnostics(use_future)` makes get() throw it.
template <class Token>
class with_diagnostics_t {
 public:
  constexpr with_diagnostics_t() = default;
  // See with_diagnostics().
  constexpr explicit with_diagnostics_t(Token inner) : token(std::move(inner)) {}

  Token token;  // the token that is adapted
};

// The adapter around a token of any kind.
template <class Token>
with_diagnostics_t<std::decay_t<Token>> with_diagnostics(Token&& token) {
  return with_diagnostics_t<std::decay_t<Token>>(std::forward<Token>(token));
}

// What the operations of this library default to: `co_await operation` in a boost::asio::awaitable coroutine.
// Not deferred_t: in Boost 1.81 awaiting a deferred operation that may throw does not compile.
using default_token = with_diagnostics_t<boost::asio::use_awaitable_t<>>;

// Turns a completion token into an erased handler for the compiled function `start`, which is called as
// start(args..., why, handler). `why` is null in the short form of an operation.
template <class T, class Token, class... Params, class... Args>
auto initiate(void (*start)(Params...), Token&& token, diagnostics* why, Args&&... args) {
  return boost::asio::async_initiate<std::remove_reference_t<Token>, completion_signature<T>>(
      [start](auto&& handler, diagnostics* where, auto&&... values) {
        start(std::forward<decltype(values)>(values)..., where,
              completion_handler<T>(std::forward<decltype(handler)>(handler)));
      },
      token, why, std::forward<Args>(args)...);
}

// The handler behind with_diagnostics: owns the diagnostics that the operation fills.
template <class Handler>
class diagnostics_handler {
 public:
  // `own` is null where the caller gave the diagnostics, `why`, that are to be filled.
  diagnostics_handler(std::shared_ptr<diagnostics> own, diagnostics* why, Handler handler)
      : own_(std::move(own)), why_(why), handler_(std::move(handler)) {}

  template <class... T>
  // Completes `Handler` with an exception_ptr in the place of the code; null without an error.
  void operator()(error_code code, T... values) {
    std::exception_ptr failure;
    if (code) failure = std::make_exception_ptr(error_with_diagnostics(code, *why_));
    std::move(handler_)(std::move(failure), std::move(values)...);
  }

  // For Asio, which asks it for the executor, the allocator and the cancellation slot.
  const Handler& inner() const noexcept { return handler_; }

 private:
  std::shared_ptr<diagnostics> own_;
  diagnostics* why_;
  Handler handler_;
};

}  // namespace dockline

namespace boost::asio {

template <template <class, class> class Associator, class Handler, class DefaultCandidate>
struct associator<Associator, dockline::diagnostics_handler<Handler>, DefaultCandidate>
    : Associator<Handler, DefaultCandidate> {
  static auto get(const dockline::diagnostics_handler<Handler>& handler) noexcept {
    return Associator<Handler, DefaultCandidate>::get(handler.inner());
  }
  static auto get(const dockline::diagnostics_handler<Handler>& handler,
                  const DefaultCandidate& candidate) noexcept {
    return Associator<Handler, DefaultCandidate>::get(handler.inner(), candidate);
  }
};

template <class Token, class... T>
struct async_result<dockline::with_diagnostics_t<Token>, void(dockline::error_code, T...)> {
  template <class Initiation, class... Args>
  static auto initiate(Initiation&& initiation, dockline::with_diagnostics_t<Token> token,
                       dockline::diagnostics* given, Args&&... args) {
    return async_initiate<Token, void(std::exception_ptr, T...)>(
        [initiation = std::decay_t<Initiation>(std::forward<Initiation>(initiation))](
            auto&& handler, dockline::diagnostics* why, auto&&... values) mutable {
          std::shared_ptr<dockline::diagnostics> own;
          if (why == nullptr) {
            own = std::make_shared<dockline::diagnostics>();
            why = own.get();
          }
          using handler_type = std::decay_t<decltype(handler)>;
          std::move(initiation)(dockline::diagnostics_handler<handler_type>(
                                    std::move(own), why, std::forward<decltype(handler)>(handler)),
                                why, std::forward<decltype(values)>(values)...);
        },
        token.token, given, std::forward<Args>(args)...);
  }
};

}  // namespace boost::asio
