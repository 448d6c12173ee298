#pragma once

// What the daemon's answers say, without I/O: a reader for each endpoint that answers in JSON, defined
// beside its operation.

#include "dockline/core/error.hpp"
#include "dockline/engine/auth_check.hpp"
#include "dockline/engine/build_cache.hpp"
#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/containers.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/distribution.hpp"
#include "dockline/engine/events.hpp"
#include "dockline/engine/exec.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/system.hpp"

#include "core/json.hpp"
#include "http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

// What an endpoint answered: the whole text, and a look into it.
struct json_answer {
  json_answer() = default;

  json::document document;
  std::string text;
  http::response_head head;

  json::value root() const { return document.root(); }
};
// Errors: errc::malformed_json.
result<json_answer> parse_answer(std::string text, diagnostics& why);

// Those that keep the text take it out of the answer.
std::vector<container_summary> read_container_list(json_answer& answered);
container_info read_container(json_answer& answered);
containers_pruned read_containers_pruned(json_answer& answered);
// Errors: errc::malformed_json, errc::unexpected_answer without an id or a status.
result<container_created> read_container_created(std::string_view body, diagnostics& why);
result<container_exit> read_container_exit(std::string_view body, std::string_view id, diagnostics& why);
// The value of X-Docker-Container-Path-Stat. Errors: errc::unexpected_answer where there is none.
result<container_path> read_container_path(std::string_view field, diagnostics& why);
// One value of an answer that goes on; `text` is the whole of it.
container_stats read_stats_sample(json::value sample, std::string_view text);
daemon_event read_event(json::value message, std::string_view text);

// Errors: errc::unexpected_answer.
result<std::string> read_exec_id(json_answer& answered);
exec_info read_exec(json_answer& answered);

std::vector<image_summary> read_image_list(json_answer& answered);
image_info read_image(json_answer& answered);
std::vector<image_layer> read_image_history(json_answer& answered);
image_removed read_image_removed(json_answer& answered);
images_pruned read_images_pruned(json_answer& answered);
std::vector<found_image> read_found_images(json_answer& answered);
distribution_info read_distribution(json_answer& answered);

version_result read_version(json_answer& answered);
system_info read_system_info(json_answer& answered);
disk_usage read_disk_usage(json_answer& answered);
build_cache_pruned read_cache_pruned(json_answer& answered);
// An empty body says that the credentials are right. Errors: errc::malformed_json.
result<auth_check_result> read_auth_check(std::string_view body);

}  // namespace dockline::engine
