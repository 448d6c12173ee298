#include "engine/one_answer.hpp"

namespace dockline::engine {

task<json_answer> call_json(std::shared_ptr<client_state> state, endpoint what, diagnostics& why) {
  auto reply = co_await state->call(std::move(what), why);
  if (!reply) co_return reply.error();
  json_answer answered;
  if (const error_code bad = answered.document.parse(reply->body)) {
    why.set_client_message("the daemon's answer: " + bad.message());
    co_return bad;
  }
  answered.text = std::move(reply->body);
  answered.head = std::move(reply->head);
  co_return std::move(answered);
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
