#include "dockline/engine/images.hpp"

#include "core/json.hpp"
#include "engine/client_state.hpp"
#include "engine/requests.hpp"

namespace dockline::engine {
namespace {

std::vector<std::string> texts_of(json::value array) {
  std::vector<std::string> texts;
  for (const json::value element : array.elements()) texts.emplace_back(element.string_or_empty());
  return texts;
}

std::vector<std::string> keys_of(json::value object) {
  std::vector<std::string> keys;
  for (const json::member one : object.members()) keys.emplace_back(one.name);
  return keys;
}

// dockerd up to 26 writes every field of the configuration, 28 and podman leave the empty ones out.
image_config config_of(json::value root) {
  image_config config;
  config.entrypoint = texts_of(root.find("Entrypoint"));
  config.cmd = texts_of(root.find("Cmd"));
  config.env = texts_of(root.find("Env"));
  config.working_dir = root.find("WorkingDir").string_or_empty();
  config.user = root.find("User").string_or_empty();
  config.stop_signal = root.find("StopSignal").string_or_empty();
  for (const json::member one : root.find("Labels").members()) {
    config.labels.emplace(one.name, one.value.string_or_empty());
  }
  config.exposed_ports = keys_of(root.find("ExposedPorts"));
  config.volumes = keys_of(root.find("Volumes"));
  return config;
}

task<image_info> inspect(std::shared_ptr<client_state> state, std::string name, diagnostics& why) {
  auto reply = co_await state->call(requests::image_inspect(name), why);
  if (!reply) co_return reply.error();
  const auto parsed = json::parse(reply->body);
  if (!parsed) co_return parsed.error();
  const json::value root = parsed->root();
  image_info found;
  found.id = root.find("Id").string_or_empty();
  found.repo_tags = texts_of(root.find("RepoTags"));
  found.repo_digests = texts_of(root.find("RepoDigests"));
  found.created = root.find("Created").string_or_empty();
  found.architecture = root.find("Architecture").string_or_empty();
  found.os = root.find("Os").string_or_empty();
  found.size = root.find("Size").as_int().value_or(0);
  found.config = config_of(root.find("Config"));
  found.layers = texts_of(root.find("RootFS").find("Layers"));
  co_return found;
}

task<image_removed> remove(std::shared_ptr<client_state> state, std::string name,
                           image_remove_options options, diagnostics& why) {
  auto reply = co_await state->call(requests::image_remove(name, options), why);
  if (!reply) co_return reply.error();
  const auto parsed = json::parse(reply->body);
  if (!parsed) co_return parsed.error();
  image_removed gone;
  for (const json::value one : parsed->root().elements()) {
    if (const auto name_gone = one.find("Untagged").as_string()) gone.untagged.emplace_back(*name_gone);
    if (const auto id_gone = one.find("Deleted").as_string()) gone.deleted.emplace_back(*id_gone);
  }
  co_return gone;
}

}  // namespace

void start_image_inspect(client daemon, std::string name, diagnostics* why,
                         completion_handler<image_info> handler) {
  auto state = daemon.state();
  spawn<image_info>(
      state->strand, why, std::move(handler),
      [state, name = std::move(name)](diagnostics& words) { return inspect(state, name, words); });
}

void start_image_remove(client daemon, std::string name, image_remove_options options, diagnostics* why,
                        completion_handler<image_removed> handler) {
  auto state = daemon.state();
  spawn<image_removed>(state->strand, why, std::move(handler),
                       [state, name = std::move(name), options](diagnostics& words) {
                         return remove(state, name, options, words);
                       });
}

}  // namespace dockline::engine
