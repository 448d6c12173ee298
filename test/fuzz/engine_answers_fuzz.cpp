// Whatever a daemon answers: it is read or refused, with no more in it than came; written anew it reads as
// the same. The first byte says which answer it is.

#include "dockline/archive/archive_format.hpp"
#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "engine/answers.hpp"
#include "engine/api_version.hpp"
#include "engine/endpoint.hpp"
#include "engine/settings_file.hpp"
#include "fuzz/listing.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::fuzz {

using namespace engine;

void list(listing& to, const published_port& of) { to(of.ip, of.private_port, of.public_port, of.type); }
void list(listing& to, const container_summary& of) {
  to(of.id, of.names, of.image, of.image_id, of.command, of.created, of.ports, of.labels, of.state, of.status,
     of.size_rw, of.size_root_fs);
}
void list(listing& to, const container_info& of) {
  to(of.id, of.name, of.created, of.image, of.image_id, of.path, of.args, of.labels, of.tty, of.open_stdin,
     of.status, of.running, of.oom_killed, of.pid, of.exit_code, of.error, of.started_at, of.finished_at,
     of.health);
}
void list(listing& to, const containers_pruned& of) { to(of.deleted, of.space_reclaimed); }
void list(listing& to, const container_created& of) { to(of.id, of.warnings); }
void list(listing& to, const container_exit& of) { to(of.status, of.error); }
void list(listing& to, const container_path& of) {
  to(of.name, of.type, of.permissions, of.size, of.modified, of.link_target);
}
void list(listing& to, const container_stats& of) {
  to(of.read, of.cpu_percent, of.cpu_total, of.online_cpus, of.memory_usage, of.memory_limit,
     of.network_received, of.network_transmitted, of.block_read, of.block_written, of.pids);
}
void list(listing& to, const daemon_event& of) {
  to(of.type, of.action, of.id, of.attributes, of.scope, of.time.time_since_epoch().count());
}
void list(listing& to, const exec_info& of) { to(of.id, of.container_id, of.running, of.exit_code, of.pid); }
void list(listing& to, const image_summary& of) {
  to(of.id, of.parent_id, of.repo_tags, of.repo_digests, of.created, of.size, of.shared_size, of.containers,
     of.labels);
}
void list(listing& to, const image_config& of) {
  to(of.entrypoint, of.cmd, of.env, of.working_dir, of.user, of.stop_signal, of.labels, of.exposed_ports,
     of.volumes);
}
void list(listing& to, const image_info& of) {
  to(of.id, of.repo_tags, of.repo_digests, of.created, of.architecture, of.os, of.size, of.config, of.layers,
     of.config_digest, of.manifest_digest);
}
void list(listing& to, const image_layer& of) {
  to(of.id, of.created, of.created_by, of.tags, of.size, of.comment);
}
void list(listing& to, const image_removed& of) { to(of.untagged, of.deleted); }
void list(listing& to, const images_pruned& of) { to(of.untagged, of.deleted, of.space_reclaimed); }
void list(listing& to, const found_image& of) { to(of.name, of.description, of.stars, of.official); }
void list(listing& to, const distribution_info& of) { to(of.media_type, of.digest, of.size, of.platforms); }
void list(listing& to, const version_result& of) {
  to(of.version, of.api_version, of.min_api_version, of.os, of.arch, of.kernel_version, of.git_commit,
     of.go_version, of.build_time, of.platform_name);
}
void list(listing& to, const system_info& of) {
  to(of.id, of.name, of.server_version, of.operating_system, of.os_type, of.architecture, of.kernel_version,
     of.cpus, of.memory, of.root_dir, of.storage_driver, of.logging_driver, of.cgroup_driver,
     of.cgroup_version, of.default_runtime, of.runtimes, of.security_options, of.insecure_registries,
     of.registry_mirrors, of.warnings, of.containers, of.containers_running, of.containers_paused,
     of.containers_stopped, of.images);
}
void list(listing& to, const volume_usage& of) {
  to(of.name, of.driver, of.mountpoint, of.labels, of.size, of.ref_count);
}
void list(listing& to, const build_cache_record& of) {
  to(of.id, of.type, of.description, of.in_use, of.shared, of.size, of.usage_count, of.created_at,
     of.last_used_at);
}
void list(listing& to, const disk_usage& of) {
  to(of.layers_size, of.images, of.containers, of.volumes, of.build_cache);
}
void list(listing& to, const build_cache_pruned& of) { to(of.ids, of.space_reclaimed); }
void list(listing& to, const auth_check_result& of) { to(of.status, of.identity_token); }
void list(listing& to, const docker_context& of) {
  to(of.name, of.description, of.host, of.tls.verify, of.tls.enabled);
}

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

// `read` makes a result of a text and diagnostics. Nothing comes of a text that is none; what comes of one
// has no more in it than the text has, and is the same when the text is written anew.
template <class Read>
void check(std::string_view text, Read read) {
  diagnostics why;
  const auto found = read(std::string(text), why);
  if (!found) {
    require(found.error() == errc::malformed_json || found.error() == errc::unexpected_answer ||
            found.error() == errc::bad_configuration);
    return;
  }
  require(why.empty());
  listing listed;
  listed(*found);
  // A byte that is no UTF-8 is three in its place; an image's id may be one of its digests as well.
  require(listed.held() <= 6 * text.size());
  const auto anew = written_again(text);
  if (!anew) return;
  const auto again = read(*anew, why);
  listing relisted;
  relisted(*again);
  require(listed.text() == relisted.text());
}

// The readers of whole answers.
template <class T>
auto whole(T (*read)(json_answer&)) {
  return [read](std::string text, diagnostics& why) -> result<T> {
    auto answer = parse_answer(std::move(text), why);
    if (!answer) {
      require(!why.client_message().empty());
      return answer.error();
    }
    return read(*answer);
  };
}
auto whole(result<std::string> (*read)(json_answer&)) {
  return [read](std::string text, diagnostics& why) -> result<std::string> {
    auto answer = parse_answer(std::move(text), why);
    if (!answer) return answer.error();
    return read(*answer);
  };
}
// Those of the values of an answer that goes on.
template <class T>
auto part(T (*read)(json::value, std::string_view)) {
  return [read](std::string text, diagnostics&) -> result<T> {
    const auto parsed = json::parse(text);
    if (!parsed) return parsed.error();
    T found = read(parsed->root(), text);
    require(found.raw == text);
    return found;
  };
}

void check_offer(std::string_view words) {
  const auto offer = parse_version_offer(words);
  if (!offer) return;
  require(offer->version.major >= 1 && offer->version.minor >= 0);
  const std::string said = "client version 1.0 is " +
                           std::string(offer->is_oldest ? "too old. Minimum" : "too new. Maximum") +
                           " supported API version is " + to_string(offer->version);
  const auto again = parse_version_offer(said);
  require(again && again->version == offer->version && again->is_oldest == offer->is_oldest);
  require(parse_api_version(to_string(offer->version)) == offer->version);
}

void check_refusal(int status, std::string_view body) {
  diagnostics why;
  const error_code code = code_of_status(status, body, why);
  require(static_cast<bool>(code) && why.server_message().size() <= 3 * body.size() + 3);
  check_offer(why.server_message());
}

void check_archive(std::string_view start) {
  const auto format = archive::detect_archive(start);
  require(archive::detect_archive(start.substr(0, archive::archive_probe_size)) == format);
  if (format == archive::archive_format::tar) require(start.size() >= 512);
}

}  // namespace

}  // namespace dockline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  using namespace dockline::fuzz;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 28) {
    case 0: check(text, whole(&engine::read_container_list)); break;
    case 1: check(text, whole(&engine::read_container)); break;
    case 2: check(text, whole(&engine::read_containers_pruned)); break;
    case 3:
      check(text, [](auto body, diagnostics& why) { return engine::read_container_created(body, why); });
      break;
    case 4:
      check(text, [](auto body, diagnostics& why) { return engine::read_container_exit(body, "c", why); });
      break;
    case 5:
      check(text, [](auto body, diagnostics& why) {
        return engine::read_container_path(encode_base64(body), why);
      });
      break;
    case 6: {
      // The field as it comes.
      diagnostics why;
      (void)engine::read_container_path(text, why);
      break;
    }
    case 7: check(text, part(&engine::read_stats_sample)); break;
    case 8: check(text, part(&engine::read_event)); break;
    case 9: check(text, whole(&engine::read_exec_id)); break;
    case 10: check(text, whole(&engine::read_exec)); break;
    case 11: check(text, whole(&engine::read_image_list)); break;
    case 12: check(text, whole(&engine::read_image)); break;
    case 13: check(text, whole(&engine::read_image_history)); break;
    case 14: check(text, whole(&engine::read_image_removed)); break;
    case 15: check(text, whole(&engine::read_images_pruned)); break;
    case 16: check(text, whole(&engine::read_found_images)); break;
    case 17: check(text, whole(&engine::read_distribution)); break;
    case 18: check(text, whole(&engine::read_version)); break;
    case 19: check(text, whole(&engine::read_system_info)); break;
    case 20: check(text, whole(&engine::read_disk_usage)); break;
    case 21: check(text, whole(&engine::read_cache_pruned)); break;
    case 22: check(text, [](auto body, diagnostics&) { return engine::read_auth_check(body); }); break;
    case 23:
      check(text,
            [](auto body, diagnostics& why) { return engine::parse_docker_context(body, "meta.json", why); });
      break;
    case 24: check_offer(text); break;
    case 25:
      if (!text.empty()) check_refusal(300 + 2 * data[1], text.substr(1));
      break;
    case 26: check_archive(text); break;
    default: (void)engine::parse_api_version(text); break;
  }
  return 0;
}
