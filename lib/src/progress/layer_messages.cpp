#include "progress/layer_messages.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace dockline::progress {
namespace {

using namespace std::string_view_literals;

std::uint64_t count(const json::value& number) {
  const auto value = number.as_int().value_or(0);
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

}  // namespace

layer_phase phase_of(std::string_view status) {
  constexpr std::array<std::pair<std::string_view, layer_phase>, 13> phases = {{
      {"Downloading", layer_phase::downloading},
      {"Extracting", layer_phase::extracting},
      {"Pushing", layer_phase::pushing},
      {"Loading layer", layer_phase::loading},
      {"Pulling fs layer", layer_phase::pulling_fs_layer},
      {"Waiting", layer_phase::waiting},
      {"Verifying Checksum", layer_phase::verifying_checksum},
      {"Download complete", layer_phase::download_complete},
      {"Pull complete", layer_phase::pull_complete},
      {"Already exists", layer_phase::already_exists},
      {"Preparing", layer_phase::preparing},
      {"Pushed", layer_phase::pushed},
      {"Layer already exists", layer_phase::layer_already_exists},
  }};
  for (const auto& [words, phase] : phases)
    if (status == words) return phase;
  if (status.starts_with("Mounted from "sv)) return layer_phase::mounted;
  if (status.starts_with("Retrying in "sv)) return layer_phase::retrying;
  return layer_phase::none;
}

std::string_view name_of(layer_phase phase) {
  switch (phase) {
    case layer_phase::none: return "none";
    case layer_phase::pulling_fs_layer: return "pulling_fs_layer";
    case layer_phase::waiting: return "waiting";
    case layer_phase::downloading: return "downloading";
    case layer_phase::verifying_checksum: return "verifying_checksum";
    case layer_phase::download_complete: return "download_complete";
    case layer_phase::extracting: return "extracting";
    case layer_phase::pull_complete: return "pull_complete";
    case layer_phase::already_exists: return "already_exists";
    case layer_phase::preparing: return "preparing";
    case layer_phase::pushing: return "pushing";
    case layer_phase::pushed: return "pushed";
    case layer_phase::layer_already_exists: return "layer_already_exists";
    case layer_phase::mounted: return "mounted";
    case layer_phase::retrying: return "retrying";
    case layer_phase::loading: return "loading";
  }
  return "none";
}

layer_progress layer_of(const json::value& message) {
  layer_progress layer;
  layer.id = message.find("id").string_or_empty();
  layer.status = message.find("status").string_or_empty();
  layer.phase = phase_of(layer.status);
  const json::value detail = message.find("progressDetail");
  // dockerd's containerd store counts the seconds of an extraction: {"current":1,"units":"s"}.
  if (detail.find("units").string_or_empty().empty()) {
    layer.current = count(detail.find("current"));
    layer.total = count(detail.find("total"));
  }
  return layer;
}

layer_progress layer_of(const layer_message& message) {
  layer_progress layer;
  layer.id = message.id;
  layer.status = message.status;
  layer.phase = phase_of(message.status);
  layer.current = message.current;
  layer.total = message.total;
  return layer;
}

}  // namespace dockline::progress
