#include "archive/read_request.hpp"

#include "core/spawn.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace dockline::archive {

namespace asio = boost::asio;

read_request::read_request(std::shared_ptr<foreign_work_list> reader, const asio::any_io_executor& work,
                           std::span<char> block, transfer_handler handler, std::function<void()> stop)
    : foreign_work(std::move(reader)),
      block_(block),
      handler_(std::move(handler)),
      home_(home_of(handler_, work)),
      completes_here_(home_ == asio::any_completion_executor(work)),
      stop_(std::move(stop)) {
  // The handler's executor must not run out of work meanwhile.
  home_ = asio::prefer(home_, asio::execution::outstanding_work.tracked);
}

std::shared_ptr<read_request> read_request::make(std::shared_ptr<foreign_work_list> reader,
                                                 const asio::any_io_executor& work, std::span<char> block,
                                                 transfer_handler handler, std::function<void()> stop) {
  const std::shared_ptr<read_request> self(
      new read_request(std::move(reader), work, block, std::move(handler), std::move(stop)));
  self->enlist();
  if (auto slot = asio::get_associated_cancellation_slot(self->handler_); slot.is_connected()) {
    slot.assign([weak = std::weak_ptr<read_request>(self)](asio::cancellation_type) {
      if (const auto alive = weak.lock()) alive->cancel();
    });
  }
  return self;
}

bool read_request::take() noexcept {
  state expected = state::waiting;
  return state_.compare_exchange_strong(expected, state::taken) && enter();
}

void read_request::cancel() {
  if (state_ != state::over) stop_();
  if (!take()) return;
  leave();  // this is a thread of the context itself
  complete(error_code(asio::error::operation_aborted));
}

void read_request::abandon() noexcept {
  state_ = state::over;
  const auto home = std::move(home_);
  const auto handler = std::move(handler_);
}

void read_request::complete(result<std::size_t> outcome) {
  state_ = state::over;
  const error_code code = outcome ? error_code() : outcome.error();
  const std::size_t count = outcome ? *outcome : 0;
  // What the handler does may be to end the context.
  if (completes_here_) leave();
  // The handler may end the last thing that keeps this object.
  const auto self = shared_from_this();
  {
    const auto home = std::move(home_);
    asio::dispatch(
        home, [handler = std::move(handler_), code, count]() mutable { std::move(handler)(code, count); });
  }
  leave();
}

}  // namespace dockline::archive
