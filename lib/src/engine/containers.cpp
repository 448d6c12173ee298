#include "dockline/engine/containers.hpp"

#include "core/json.hpp"
#include "engine/answers.hpp"
#include "engine/log_frames.hpp"
#include "engine/one_answer.hpp"
#include "engine/output.hpp"
#include "engine/requests.hpp"

namespace dockline::engine {
namespace {

using shared_state = std::shared_ptr<client_state>;

task<container_created> create(shared_state state, container_options options, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::container_create(options, *version, why);
  if (!what) co_return what.error();
  auto reply = co_await state->call(std::move(*what), why);
  if (!reply) co_return reply.error();
  co_return read_container_created(reply->body, why);
}

task<container_exit> wait(shared_state state, std::string id, diagnostics& why) {
  auto reply = co_await state->call(requests::container_wait(id), why);
  if (!reply) co_return reply.error();
  co_return read_container_exit(reply->body, id, why);
}

task<void> read_logs(shared_state state, std::string id, logs_options options, output_sink sink,
                     diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::container_logs(id, options, *version, why);
  if (!what) co_return what.error();
  auto over = co_await state->open(std::move(*what), nullptr, why);
  if (!over) co_return over.error();
  output_decoder decoder(options.tty);
  for (;;) {
    auto some = co_await (*over)->read_some(why);
    if (!some) co_return some.error();
    if (some->empty()) break;
    if (const error_code code = decoder.eat(*some, sink)) co_return code;
    // By the sink, when there was no wait that could have been ended.
    if (co_await is_cancelled()) co_return aborted();
  }
  if (const error_code code = decoder.finish()) co_return code;
  state->connections->give_back(**over);
  co_return result<void>();
}

}  // namespace

result<container_created> read_container_created(std::string_view body, diagnostics& why) {
  const auto parsed = json::parse(body);
  if (!parsed) return parsed.error();
  container_created made;
  made.id = parsed->root().find("Id").string_or_empty();
  for (const json::value one : parsed->root().find("Warnings").elements()) {
    made.warnings.emplace_back(one.string_or_empty());
  }
  if (made.id.empty()) {
    why.set_client_message("the daemon made a container without telling its id");
    return errc::unexpected_answer;
  }
  return made;
}

result<container_exit> read_container_exit(std::string_view body, std::string_view id, diagnostics& why) {
  const auto parsed = json::parse(body);
  if (!parsed) return parsed.error();
  container_exit ended;
  const auto status = parsed->root().find("StatusCode").as_int();
  if (!status) {
    why.set_client_message("the daemon did not tell the status of container " + std::string(id));
    return errc::unexpected_answer;
  }
  ended.status = static_cast<int>(*status);
  ended.error = parsed->root().find("Error").find("Message").string_or_empty();
  return ended;
}

void start_container_create(client daemon, container_options options, diagnostics* why,
                            completion_handler<container_created> handler) {
  auto state = daemon.state();
  spawn<container_created>(state->strand, why, std::move(handler),
                           [state, options = std::move(options)](diagnostics& words) mutable {
                             return create(state, std::move(options), words);
                           });
}

void start_container_start(client daemon, std::string id, diagnostics* why,
                           completion_handler<void> handler) {
  start_command(daemon, requests::container_start(id), why, std::move(handler));
}

void start_container_wait(client daemon, std::string id, diagnostics* why,
                          completion_handler<container_exit> handler) {
  auto state = daemon.state();
  spawn<container_exit>(state->strand, why, std::move(handler),
                        [state, id = std::move(id)](diagnostics& words) { return wait(state, id, words); });
}

void start_container_logs(client daemon, std::string id, logs_options options, output_sink sink,
                          diagnostics* why, completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(state->strand, why, std::move(handler),
              [state, id = std::move(id), options = std::move(options), sink = std::move(sink)](
                  diagnostics& words) { return read_logs(state, id, options, sink, words); });
}

void start_container_kill(client daemon, std::string id, std::string signal, diagnostics* why,
                          completion_handler<void> handler) {
  start_command(daemon, requests::container_kill(id, signal), why, std::move(handler));
}

void start_container_remove(client daemon, std::string id, remove_options options, diagnostics* why,
                            completion_handler<void> handler) {
  start_command(daemon, requests::container_remove(id, options), why, std::move(handler));
}

}  // namespace dockline::engine
