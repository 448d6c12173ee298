#include "archive/read_job.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <utility>

namespace dockline::archive {
namespace {

namespace asio = boost::asio;

class read_job : public std::enable_shared_from_this<read_job> {
 public:
  read_job(const asio::any_io_executor& executor, transfer_handler handler,
           std::function<result<std::size_t>()> work, std::function<void()> stop)
      : handler_(std::move(handler)),
        // The handler's executor must not run out of work meanwhile.
        home_(asio::prefer(asio::get_associated_executor(handler_, executor),
                           asio::execution::outstanding_work.tracked)),
        work_(std::move(work)),
        stop_(std::move(stop)) {}

  void start(const asio::any_io_executor& executor) {
    auto slot = asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) {
      slot.assign([weak = weak_from_this()](asio::cancellation_type) {
        if (const auto self = weak.lock()) self->cancel();
      });
    }
    asio::post(executor, [self = shared_from_this()] { self->run(); });
  }

 private:
  enum class state { queued, running, over };

  void run() {
    state expected = state::queued;
    if (!state_.compare_exchange_strong(expected, state::running)) return;
    complete(outcome());
  }

  result<std::size_t> outcome() {
    try {
      return work_();
    } catch (const std::bad_alloc&) {
      return make_error_code(boost::system::errc::not_enough_memory);
    }
  }

  void cancel() {
    state expected = state::queued;
    if (state_.compare_exchange_strong(expected, state::over)) {
      complete(error_code(asio::error::operation_aborted));
    } else if (expected == state::running) {
      stop_();
    }
  }

  void complete(result<std::size_t> outcome) {
    state_ = state::over;
    const error_code code = outcome ? error_code() : outcome.error();
    const std::size_t count = outcome ? *outcome : 0;
    // Moved first: the handler may end the last thing that keeps this object.
    auto home = std::move(home_);
    asio::dispatch(
        home, [handler = std::move(handler_), code, count]() mutable { std::move(handler)(code, count); });
  }

  transfer_handler handler_;
  asio::any_completion_executor home_;
  std::function<result<std::size_t>()> work_;
  std::function<void()> stop_;
  std::atomic<state> state_ = state::queued;
};

}  // namespace

void start_read_job(const asio::any_io_executor& executor, transfer_handler handler,
                    std::function<result<std::size_t>()> work, std::function<void()> stop) {
  std::make_shared<read_job>(executor, std::move(handler), std::move(work), std::move(stop))->start(executor);
}

}  // namespace dockline::archive
