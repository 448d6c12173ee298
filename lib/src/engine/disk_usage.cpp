#include "dockline/engine/disk_usage.hpp"

#include "engine/answers.hpp"
#include "engine/container_summary.hpp"
#include "engine/image_summary.hpp"
#include "engine/one_answer.hpp"
#include "engine/system_requests.hpp"

namespace dockline::engine {
namespace {

volume_usage volume_of(json::value row) {
  volume_usage volume;
  volume.name = text_of(row, "Name");
  volume.driver = text_of(row, "Driver");
  volume.mountpoint = text_of(row, "Mountpoint");
  volume.labels = pairs_of(row.find("Labels"));
  volume.size = number_of(row.find("UsageData"), "Size", -1);
  volume.ref_count = number_of(row.find("UsageData"), "RefCount", -1);
  return volume;
}

build_cache_record cache_of(json::value row) {
  build_cache_record record;
  record.id = text_of(row, "ID");
  record.type = text_of(row, "Type");
  record.description = text_of(row, "Description");
  record.in_use = truth_of(row, "InUse");
  record.shared = truth_of(row, "Shared");
  record.size = number_of(row, "Size");
  record.usage_count = number_of(row, "UsageCount");
  record.created_at = text_of(row, "CreatedAt");
  record.last_used_at = text_of(row, "LastUsedAt");
  return record;
}

}  // namespace

disk_usage read_disk_usage(json_answer& answered) {
  const json::value root = answered.root();
  disk_usage found;
  found.layers_size = number_of(root, "LayersSize");
  for (const json::value one : root.find("Images").elements()) found.images.push_back(image_summary_of(one));
  for (const json::value one : root.find("Containers").elements())
    found.containers.push_back(container_summary_of(one));
  for (const json::value one : root.find("Volumes").elements()) found.volumes.push_back(volume_of(one));
  for (const json::value one : root.find("BuildCache").elements()) found.build_cache.push_back(cache_of(one));
  return found;
}

void start_disk_usage(client daemon, disk_usage_options options, diagnostics* why,
                      completion_handler<disk_usage> handler) {
  start_ask_versioned<disk_usage>(
      daemon,
      [options = std::move(options)](api_version version, diagnostics& words) {
        return requests::disk_usage(options, version, words);
      },
      &read_disk_usage, why, std::move(handler));
}

}  // namespace dockline::engine
