#include "dockline/engine/images.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/image_requests.hpp"
#include "engine/one_answer.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

// dockerd up to 26 writes every field of the configuration, 28 and podman leave the empty ones out.
image_config config_of(json::value root) {
  image_config config;
  config.entrypoint = texts_of(root.find("Entrypoint"));
  config.cmd = texts_of(root.find("Cmd"));
  config.env = texts_of(root.find("Env"));
  config.working_dir = root.find("WorkingDir").string_or_empty();
  config.user = root.find("User").string_or_empty();
  config.stop_signal = root.find("StopSignal").string_or_empty();
  config.labels = pairs_of(root.find("Labels"));
  config.exposed_ports = keys_of(root.find("ExposedPorts"));
  config.volumes = keys_of(root.find("Volumes"));
  return config;
}

// Since API 1.48 containerd's store tells what the image's name stands for, and the older store nothing; BuildKit
// leaves the digest of the configuration there. Before, containerd's store is known by an id under which the
// image has a name, too.
void read_digests(json::value descriptor, image_info& found) {
  found.manifest_digest = text_of(descriptor, "digest");
  found.config_digest = text_of(descriptor.find("annotations"), "config.digest");
  if (!found.manifest_digest.empty() || !found.id.starts_with("sha256:")) return;
  const auto names_it = [&](std::string_view name) { return name.ends_with("@" + found.id); };
  (std::ranges::any_of(found.repo_digests, names_it) ? found.manifest_digest : found.config_digest) =
      found.id;
}

task<void> tag(std::shared_ptr<client_state> state, std::string name, std::string reference,
               diagnostics& why) {
  auto what = requests::image_tag(name, reference, why);
  if (!what) co_return what.error();
  auto done = co_await command(std::move(state), std::move(*what), why);
  co_return done;
}

}  // namespace

image_info read_image(json_answer& answered) {
  const json::value root = answered.root();
  image_info found;
  found.id = text_of(root, "Id");
  found.repo_tags = texts_of(root.find("RepoTags"));
  found.repo_digests = texts_of(root.find("RepoDigests"));
  found.created = text_of(root, "Created");
  found.architecture = text_of(root, "Architecture");
  found.os = text_of(root, "Os");
  found.size = number_of(root, "Size");
  found.config = config_of(root.find("Config"));
  found.layers = texts_of(root.find("RootFS").find("Layers"));
  read_digests(root.find("Descriptor"), found);
  found.raw = std::move(answered.text);
  return found;
}

std::vector<image_layer> read_image_history(json_answer& answered) {
  std::vector<image_layer> layers;
  for (const json::value one : answered.root().elements()) {
    image_layer layer;
    layer.id = text_of(one, "Id");
    layer.created = number_of(one, "Created");
    layer.created_by = text_of(one, "CreatedBy");
    layer.tags = texts_of(one.find("Tags"));
    layer.size = number_of(one, "Size");
    layer.comment = text_of(one, "Comment");
    layers.push_back(std::move(layer));
  }
  return layers;
}

image_removed read_image_removed(json_answer& answered) {
  image_removed gone;
  for (const json::value one : answered.root().elements()) {
    if (const auto name = one.find("Untagged").as_string()) gone.untagged.emplace_back(*name);
    if (const auto id = one.find("Deleted").as_string()) gone.deleted.emplace_back(*id);
  }
  return gone;
}

void start_image_inspect(client daemon, std::string name, diagnostics* why,
                         completion_handler<image_info> handler) {
  start_ask<image_info>(daemon, requests::image_inspect(name), &read_image, why, std::move(handler));
}

void start_image_history(client daemon, std::string name, diagnostics* why,
                         completion_handler<std::vector<image_layer>> handler) {
  start_ask<std::vector<image_layer>>(daemon, requests::image_history(name), &read_image_history, why,
                                      std::move(handler));
}

void start_image_tag(client daemon, std::string name, std::string reference, diagnostics* why,
                     completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(state->strand, why, std::move(handler),
              [state, name = std::move(name), reference = std::move(reference)](diagnostics& words) {
                return tag(state, name, reference, words);
              });
}

void start_image_remove(client daemon, std::string name, image_remove_options options, diagnostics* why,
                        completion_handler<image_removed> handler) {
  start_ask<image_removed>(daemon, requests::image_remove(name, options), &read_image_removed, why,
                           std::move(handler));
}

}  // namespace dockline::engine
