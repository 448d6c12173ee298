#pragma once

// A coroutine hands a blocking job over to the executor for work, and waits for it without blocking its own.

#include "core/foreign_work.hpp"
#include "core/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace dockline::archive {

// One job: its outcome, its words, and whether somebody still wants them. Shared with the job, which may
// outlive the coroutine that waits.
template <class T>
struct blocking_job {
  std::function<result<T>(diagnostics&, const std::atomic<bool>& stopped)> work;
  std::atomic<bool> stopped = false;
  diagnostics why;
  result<T> outcome = error_code(asio::error::operation_aborted);

  void run() {
    if (stopped) return;
    try {
      outcome = work(why, stopped);
    } catch (...) {
      outcome = code_of(std::current_exception());
    }
  }
};

// What goes over to the executor for work, and back.
template <class T, class Handler>
class blocking_operation final : public foreign_work {
 public:
  blocking_operation(std::shared_ptr<blocking_job<T>> job, Handler handler)
      : foreign_work(foreign_work_of(asio::get_associated_executor(handler))),
        job_(std::move(job)),
        // The handler's executor must not run out of work meanwhile.
        home_(
            asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked)),
        handler_(std::move(handler)) {}

  void run() {
    if (!enter()) return;
    job_->run();
    job_->work = nullptr;
    {
      const asio::any_io_executor home = std::move(home_);
      asio::post(home, std::move(*handler_));
      handler_.reset();
    }
    leave();
  }

 private:
  void stop() noexcept override { job_->stopped = true; }
  void abandon() noexcept override {
    handler_.reset();
    home_ = nullptr;
    job_->work = nullptr;
  }

  const std::shared_ptr<blocking_job<T>> job_;
  asio::any_io_executor home_;
  std::optional<Handler> handler_;
};

// Runs job->work. A wait that is cancelled tells the job to stop, and returns operation_aborted as soon as
// that is over.
template <class T>
task<T> run_blocking(asio::any_io_executor work, std::shared_ptr<blocking_job<T>> job, diagnostics& why) {
  // Named, since g++ 12 destroys a closure inside the co_await expression twice.
  auto start = [job, work](auto handler) {
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<blocking_job<T>>(job)](asio::cancellation_type) {
        if (const auto alive = weak.lock()) alive->stopped = true;
      });
    }
    const auto operation =
        std::make_shared<blocking_operation<T, std::decay_t<decltype(handler)>>>(job, std::move(handler));
    operation->enlist();
    asio::post(work, [operation] { operation->run(); });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  if (co_await is_cancelled()) co_return aborted();
  why = std::move(job->why);
  co_return std::move(job->outcome);
}

}  // namespace dockline::archive
