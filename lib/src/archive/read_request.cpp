#include "archive/read_request.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace dockline::archive {

namespace asio = boost::asio;

read_request::read_request(const asio::any_io_executor& work, std::span<char> block, transfer_handler handler,
                           std::function<void()> stop)
    : block_(block),
      handler_(std::move(handler)),
      // The handler's executor must not run out of work meanwhile.
      home_(asio::prefer(asio::get_associated_executor(handler_, work),
                         asio::execution::outstanding_work.tracked)),
      stop_(std::move(stop)) {}

std::shared_ptr<read_request> read_request::make(const asio::any_io_executor& work, std::span<char> block,
                                                 transfer_handler handler, std::function<void()> stop) {
  const std::shared_ptr<read_request> self(
      new read_request(work, block, std::move(handler), std::move(stop)));
  if (auto slot = asio::get_associated_cancellation_slot(self->handler_); slot.is_connected()) {
    slot.assign([weak = std::weak_ptr<read_request>(self)](asio::cancellation_type) {
      if (const auto alive = weak.lock()) alive->cancel();
    });
  }
  return self;
}

bool read_request::take() noexcept {
  state expected = state::waiting;
  return state_.compare_exchange_strong(expected, state::taken);
}

void read_request::cancel() {
  if (state_ != state::over) stop_();
  if (take()) complete(error_code(asio::error::operation_aborted));
}

void read_request::complete(result<std::size_t> outcome) {
  state_ = state::over;
  const error_code code = outcome ? error_code() : outcome.error();
  const std::size_t count = outcome ? *outcome : 0;
  // Moved first: the handler may end the last thing that keeps this object.
  auto home = std::move(home_);
  asio::dispatch(home,
                 [handler = std::move(handler_), code, count]() mutable { std::move(handler)(code, count); });
}

}  // namespace dockline::archive
