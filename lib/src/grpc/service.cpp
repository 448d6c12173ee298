#include "grpc/service.hpp"

#include "core/encoding.hpp"
#include "core/wipe.hpp"
#include "grpc/server_state.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace dockline::grpc {
namespace {

task<std::optional<std::string>> read_message(std::shared_ptr<call_state> one) {
  const auto broken = [&](error_code code, const char* words) {
    one->broken = status_of(code, words);
    return code;
  };
  for (;;) {
    if (one->ended || one->finished || co_await is_cancelled()) co_return aborted();
    while (!one->incoming.empty() && !one->decoder.done()) {
      auto eaten = one->decoder.eat(one->incoming.front());
      if (!eaten && eaten.error() == errc::message_too_long)
        co_return broken(eaten.error(), "the message is too long");
      if (!eaten) co_return broken(eaten.error(), "the message is compressed, or is none");
      one->incoming.drop(*eaten);
      if (const auto line = one->line.lock()) line->consume(*one, *eaten);
    }
    if (one->decoder.done()) co_return one->decoder.take();
    if (one->all_received) {
      if (const error_code cut = one->decoder.finish())
        co_return broken(cut, "the call was cut in the middle of a message");
      co_return std::nullopt;
    }
    co_await one->readable.wait();
  }
}

task<void> write_part(std::shared_ptr<call_state> one, std::string_view part) {
  while (!part.empty()) {
    const auto line = one->line.lock();
    if (!line || one->ended || one->finished || co_await is_cancelled()) co_return aborted();
    part.remove_prefix(line->send(*one, part));
    if (!part.empty()) co_await one->writable.wait();
  }
  co_return result<void>();
}

task<void> write_message(std::shared_ptr<call_state> one, std::string_view message, std::string_view rest) {
  if (const auto line = one->line.lock(); line && !one->ended && !one->finished) line->send_headers(*one);
  if (message.size() + rest.size() > std::numeric_limits<std::uint32_t>::max())
    co_return errc::message_too_long;
  const auto head = message_head(static_cast<std::uint32_t>(message.size() + rest.size()));
  one->inside_message = true;
  const std::array<std::string_view, 3> parts{std::string_view(head.data(), head.size()), message, rest};
  for (const std::string_view part : parts) {
    if (auto written = co_await write_part(one, part); !written) co_return written;
  }
  one->inside_message = false;
  co_return result<void>();
}

asio::awaitable<status> answer_once(call made,
                                    std::function<asio::awaitable<reply>(call, std::string)> answer) {
  auto request = co_await made.read();
  if (!request) co_return status_of(request.error());
  if (!*request) co_return status(status_code::internal, "the call has no message");
  auto end = co_await made.read();
  if (!end) co_return status_of(end.error());
  if (*end) co_return status(status_code::internal, "the call has more than one message");
  reply answered = co_await answer(made, std::move(**request));
  result<void> written;
  if (answered.outcome.ok()) written = co_await made.write(answered.message);
  if (made.secret()) wipe(answered.message);
  if (!written) co_return status_of(written.error());
  co_return answered.outcome;
}

}  // namespace

asio::any_io_executor call::get_executor() const { return state_->executor; }
const std::string& call::path() const noexcept { return state_->path; }
const metadata& call::request_metadata() const noexcept { return state_->request; }
void call::keep_secret() { state_->secret = true; }
bool call::secret() const noexcept { return state_->secret; }
bool call::ended() const noexcept { return state_->ended; }

task<std::optional<std::string>> call::read() { return read_message(state_); }

task<void> call::write(std::string_view message, std::string_view rest) {
  return write_message(state_, message, rest);
}

void call::add_trailer(std::string name, std::string value) {
  if (name.ends_with("-bin")) value = encode_base64(value);
  state_->trailers.emplace_back(std::move(name), std::move(value));
}

handler unary(std::function<asio::awaitable<reply>(call, std::string request)> answer) {
  return [answer = std::move(answer)](call made) { return answer_once(std::move(made), answer); };
}

}  // namespace dockline::grpc
