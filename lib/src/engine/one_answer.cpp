#include "engine/one_answer.hpp"

namespace dockline::engine {

result<json_answer> parse_answer(std::string text, diagnostics& why) {
  json_answer answered;
  if (const error_code bad = answered.document.parse(text)) {
    why.set_client_message("the daemon's answer: " + bad.message());
    return bad;
  }
  answered.text = std::move(text);
  return answered;
}

task<json_answer> call_json(std::shared_ptr<client_state> state, endpoint what, diagnostics& why) {
  auto reply = co_await state->call(std::move(what), why);
  if (!reply) co_return reply.error();
  auto answered = parse_answer(std::move(reply->body), why);
  if (answered) answered->head = std::move(reply->head);
  co_return answered;
}

task<void> command(std::shared_ptr<client_state> state, endpoint what, diagnostics& why) {
  auto reply = co_await state->call(std::move(what), why);
  if (!reply) co_return reply.error();
  co_return result<void>();
}

void start_command(const client& daemon, endpoint what, diagnostics* why, completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(state->strand, why, std::move(handler),
              [state, what = std::move(what)](diagnostics& words) mutable {
                return command(state, std::move(what), words);
              });
}

}  // namespace dockline::engine
