#include "gcp/log_reader.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/google_error.hpp"
#include "gcp/storage_requests.hpp"

#include <algorithm>
#include <utility>

namespace dockline::gcp {
namespace {

constexpr int attempts_at_the_end = 5;

}  // namespace

task<log_reader::outcome> log_reader::read_once(diagnostics& why) {
  api_call call = read_object(state_->storage_url(), place_.bucket, place_.object, position_);
  call.anonymous = state_->options.anonymous_storage;
  auto answer = co_await state_->open_as(call, why);
  if (!answer) {
    if (answer.error() == condition::cancelled) co_return answer.error();
    problem_ = describe(answer.error(), why);
    co_return is_transient(answer.error()) ? outcome::broken : outcome::hopeless;
  }
  const int status = answer->status();
  if (status != 200 && status != 206) {
    auto whole = co_await state_->finish(std::move(*answer), why);
    if (!whole && whole.error() == condition::cancelled) co_return whole.error();
    // Nothing new, or nothing yet.
    if (status == 416) co_return outcome::complete;
    if (status == 404) co_return outcome::not_there;
    if (whole) {
      call.service = "the log in gs://" + place_.bucket;
      call.permission = "storage.objects.get on gs://" + place_.bucket + " (roles/storage.objectViewer)";
      diagnostics words;
      const error_code code = client_state::refusal(call, *whole, words);
      problem_ = describe(code, words);
    }
    co_return is_transient(status) ? outcome::broken : outcome::hopeless;
  }
  // A server that knows no ranges sends what was read before once more.
  std::uint64_t skip = status == 200 ? position_ : 0;
  if (status == 206) {
    const auto begin = read_first_byte(answer->over->head().find("Content-Range"));
    if (begin && *begin > position_) co_return outcome::broken;
    if (begin) skip = position_ - *begin;
  }
  for (;;) {
    auto some = co_await answer->over->read_some(why);
    if (!some) {
      if (some.error() == condition::cancelled) co_return some.error();
      problem_ = describe(some.error(), why);
      co_return outcome::broken;
    }
    if (some->empty()) break;
    std::string_view fresh = *some;
    const std::uint64_t old = std::min<std::uint64_t>(skip, fresh.size());
    fresh.remove_prefix(old);
    skip -= old;
    position_ += fresh.size();
    into_.add(fresh, std::chrono::system_clock::now());
  }
  state_->web.give_back(answer->where, *answer->over);
  co_return outcome::complete;
}

task<void> log_reader::read(bool last) {
  if (given_up_) co_return result<void>();
  retry_schedule attempts = state_->schedule();
  attempts.limit_attempts(attempts_at_the_end);
  for (;;) {
    diagnostics ignored;
    auto read = co_await read_once(ignored);
    if (!read) co_return read.error();
    switch (*read) {
      case outcome::complete: problem_.clear(); co_return result<void>();
      case outcome::not_there:
        problem_ = "there is no log at gs://" + place_.bucket + '/' + place_.object;
        co_return result<void>();
      case outcome::hopeless: given_up_ = true; co_return result<void>();
      case outcome::broken: break;
    }
    // While it grows the next look is soon.
    if (!last) co_return result<void>();
    const auto pause = attempts.failed(std::chrono::steady_clock::now());
    if (!pause) co_return result<void>();
    if (auto waited = co_await state_->wait(*pause); !waited) co_return waited.error();
  }
}

}  // namespace dockline::gcp
