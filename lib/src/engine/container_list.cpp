#include "dockline/engine/container_list.hpp"

#include "engine/answers.hpp"
#include "engine/container_requests.hpp"
#include "engine/container_summary.hpp"
#include "engine/one_answer.hpp"

namespace dockline::engine {

std::vector<container_summary> read_container_list(json_answer& answered) {
  std::vector<container_summary> rows;
  for (const json::value one : answered.root().elements()) rows.push_back(container_summary_of(one));
  return rows;
}

container_info read_container(json_answer& answered) {
  const json::value root = answered.root();
  const json::value config = root.find("Config");
  const json::value state = root.find("State");
  container_info found;
  found.id = text_of(root, "Id");
  found.name = text_of(root, "Name");
  found.created = text_of(root, "Created");
  found.image = text_of(config, "Image");
  found.image_id = text_of(root, "Image");
  found.path = text_of(root, "Path");
  found.args = texts_of(root.find("Args"));
  found.labels = pairs_of(config.find("Labels"));
  found.tty = truth_of(config, "Tty");
  found.open_stdin = truth_of(config, "OpenStdin");
  found.status = text_of(state, "Status");
  found.running = truth_of(state, "Running");
  found.oom_killed = truth_of(state, "OOMKilled");
  found.pid = number_of(state, "Pid");
  found.exit_code = static_cast<int>(number_of(state, "ExitCode"));
  found.error = text_of(state, "Error");
  found.started_at = text_of(state, "StartedAt");
  found.finished_at = text_of(state, "FinishedAt");
  found.health = text_of(state.find("Health"), "Status");
  found.raw = std::move(answered.text);
  return found;
}

containers_pruned read_containers_pruned(json_answer& answered) {
  containers_pruned gone;
  gone.deleted = texts_of(answered.root().find("ContainersDeleted"));
  gone.space_reclaimed = number_of(answered.root(), "SpaceReclaimed");
  return gone;
}

void start_container_list(client daemon, container_list_options options, diagnostics* why,
                          completion_handler<std::vector<container_summary>> handler) {
  start_ask<std::vector<container_summary>>(daemon, requests::container_list(options), &read_container_list,
                                            why, std::move(handler));
}

void start_container_inspect(client daemon, std::string id, diagnostics* why,
                             completion_handler<container_info> handler) {
  start_ask<container_info>(daemon, requests::container_inspect(id), &read_container, why,
                            std::move(handler));
}

void start_container_prune(client daemon, filter_map filters, diagnostics* why,
                           completion_handler<containers_pruned> handler) {
  start_ask<containers_pruned>(daemon, requests::container_prune(filters), &read_containers_pruned, why,
                               std::move(handler));
}

}  // namespace dockline::engine
