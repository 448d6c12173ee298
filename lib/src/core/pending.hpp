#pragma once

#include "core/spawn.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <optional>

namespace dockline {

// An operation that was started and is awaited later: the next block is read while the last one is on its
// way, the answer is read while the body is sent.
//
// All of it happens on one executor (a strand where there are several threads). Whatever the operation uses
// must live until it completed, also when this object is gone: hand a shared_ptr in with `keep`.
template <class T>
class pending {
  struct unnoticed {
    void operator()(error_code /*code*/) const noexcept {}
  };

 public:
  pending() = default;
  pending(pending&&) noexcept = default;
  pending& operator=(pending&& other) noexcept {
    abandon();
    state_ = std::move(other.state_);
    awaited_ = std::move(other.awaited_);
    return *this;
  }
  ~pending() { abandon(); }

  // Starts `operation`, which is called with a completion_handler<T>. `failed`, which must not throw, hears of the error
  // that it ends with before anybody else does, and of one that is dropped: for those who wait for what it does.
  template <class Operation, class Failed = unnoticed>
  static pending start(asio::any_io_executor executor, std::shared_ptr<void> keep, Operation operation,
                       Failed failed = {}) {
    pending self;
    self.state_ = std::make_shared<shared>();
    self.state_->executor = executor;
    auto state = self.state_;
    operation(completion_handler<T>(asio::bind_cancellation_slot(
        state->signal.slot(),
        asio::bind_executor(executor, completion<Failed>(state, std::move(keep), std::move(failed))))));
    return self;
  }

  bool started() const noexcept { return state_ != nullptr; }
  bool ready() const noexcept { return state_ && state_->outcome; }

  // Also while get() waits.
  void cancel() {
    const auto state = state_ ? state_ : awaited_.lock();
    if (state && !state->outcome) state->signal.emit(asio::cancellation_type::terminal);
  }

  // The outcome, once. A cancelled wait cancels the operation, and still returns only when that is over.
  task<T> get() {
    auto state = std::move(state_);
    awaited_ = state;
    // A request to stop that came before this wait is told to no wait any more.
    if (!state->outcome && co_await is_cancelled()) state->signal.emit(asio::cancellation_type::terminal);
    if (!state->outcome) {
      state = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::shared_ptr<shared>)>(
          [&state](auto handler) {
            // Only the operation keeps its state while this waits: a coroutine that kept it as well, and is
            // kept by it, would be left when the event loop is destroyed.
            auto waited_for = std::move(state);
            // Not by assignment, which in Boost 1.81 copies itself without end.
            waiting(std::move(handler)).swap(waited_for->waiter);
            // The slot of the erased handler: erasing takes the one below for itself.
            if (auto slot = asio::get_associated_cancellation_slot(waited_for->waiter); slot.is_connected()) {
              slot.assign([weak = std::weak_ptr<shared>(waited_for)](asio::cancellation_type type) {
                if (auto alive = weak.lock()) alive->signal.emit(type);
              });
            }
          },
          asio::use_awaitable);
    }
    co_return std::move(*state->outcome);
  }

 private:
  struct shared;
  using waiting = asio::any_completion_handler<void(std::shared_ptr<shared>)>;

  struct shared {
    asio::any_io_executor executor;
    asio::cancellation_signal signal;
    std::optional<result<T>> outcome;
    waiting waiter;
  };

  template <class Failed>
  struct completion {
    completion(std::shared_ptr<shared> whose, std::shared_ptr<void> what, Failed hears)
        : state(std::move(whose)), keep(std::move(what)), failed(std::move(hears)) {}
    completion(completion&&) noexcept = default;
    completion& operator=(completion&&) = delete;

    // An executor that is torn down drops its handlers without calling them, and so does Asio where it has no memory for
    // a wait. Whoever waits for this one has to go with it: the waiting coroutine owns the state, and the state its
    // handler.
    ~completion() {
      if (!state || state->outcome) return;
      failed(aborted());
      const auto waiter = std::move(state->waiter);
    }

    std::shared_ptr<shared> state;
    std::shared_ptr<void> keep;
    Failed failed;

    template <class... Values>
    void operator()(error_code code, Values... values) {
      if (code) {
        state->outcome.emplace(code);
        failed(code);
      } else {
        state->outcome.emplace(std::move(values)...);
      }
      keep.reset();
      if (state->waiter) {
        const auto executor = state->executor;
        asio::post(executor, [waiter = std::move(state->waiter), over = std::move(state)]() mutable {
          std::move(waiter)(std::move(over));
        });
      }
    }
  };

  void abandon() {
    cancel();
    state_.reset();
  }

  std::shared_ptr<shared> state_;
  std::weak_ptr<shared> awaited_;
};

}  // namespace dockline
