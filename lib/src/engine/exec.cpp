#include "dockline/engine/exec.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/attach_state.hpp"
#include "engine/container_requests.hpp"
#include "engine/one_answer.hpp"

namespace dockline::engine {

result<std::string> read_exec_id(json_answer& answered) {
  std::string id = text_of(answered.root(), "Id");
  if (id.empty()) return errc::unexpected_answer;
  return id;
}

exec_info read_exec(json_answer& answered) {
  const json::value root = answered.root();
  exec_info found;
  found.id = text_of(root, "ID");
  found.container_id = text_of(root, "ContainerID");
  found.running = truth_of(root, "Running");
  const auto code = root.find("ExitCode").as_int();
  // podman says 0 while it runs, dockerd null.
  if (code && !found.running) found.exit_code = static_cast<int>(*code);
  found.pid = number_of(root, "Pid");
  return found;
}

void start_exec_create(client daemon, std::string container, exec_options options, diagnostics* why,
                       completion_handler<std::string> handler) {
  start_ask_versioned<std::string>(
      daemon,
      [container = std::move(container), options = std::move(options)](api_version version,
                                                                       diagnostics& words) {
        return requests::exec_create(container, options, version, words);
      },
      &read_exec_id, why, std::move(handler));
}

void start_exec_start(client daemon, std::string id, bool tty, diagnostics* why,
                      completion_handler<attachment> handler) {
  auto state = daemon.state();
  spawn<attachment>(state->strand, why, std::move(handler),
                    [state, id = std::move(id), tty](diagnostics& words) {
                      return take_over(state, requests::exec_start(id, tty, false), tty, words);
                    });
}

void start_exec_start_detached(client daemon, std::string id, diagnostics* why,
                               completion_handler<void> handler) {
  start_command(daemon, requests::exec_start(id, false, true), why, std::move(handler));
}

void start_exec_inspect(client daemon, std::string id, diagnostics* why,
                        completion_handler<exec_info> handler) {
  start_ask<exec_info>(daemon, requests::exec_inspect(id), &read_exec, why, std::move(handler));
}

}  // namespace dockline::engine
