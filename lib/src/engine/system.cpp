#include "dockline/engine/system.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/one_answer.hpp"
#include "engine/system_requests.hpp"

namespace dockline::engine {
namespace {

task<ping_result> ping(std::shared_ptr<client_state> state, diagnostics& why) {
  auto pong = co_await state->ping(why);
  if (!pong) co_return pong.error();
  const http::response_head& head = pong->head;
  ping_result found;
  found.api_version = head.find("Api-Version");
  found.os_type = head.find("OSType");
  found.builder_version = head.find("Builder-Version");
  found.server = head.find("Server");
  found.libpod_version = head.find("Libpod-API-Version");
  found.experimental = head.find("Docker-Experimental") == "true";
  auto negotiated = state->settle(found.api_version, why);
  if (!negotiated) co_return negotiated.error();
  found.negotiated_version = to_string(*negotiated);
  co_return found;
}

}  // namespace

version_result read_version(json_answer& answered) {
  const json::value root = answered.root();
  version_result found;
  found.version = text_of(root, "Version");
  found.api_version = text_of(root, "ApiVersion");
  found.min_api_version = text_of(root, "MinAPIVersion");
  found.os = text_of(root, "Os");
  found.arch = text_of(root, "Arch");
  found.kernel_version = text_of(root, "KernelVersion");
  found.git_commit = text_of(root, "GitCommit");
  found.go_version = text_of(root, "GoVersion");
  found.build_time = text_of(root, "BuildTime");
  found.platform_name = text_of(root.find("Platform"), "Name");
  return found;
}

system_info read_system_info(json_answer& answered) {
  const json::value root = answered.root();
  const auto count = [&](std::string_view key) { return static_cast<int>(number_of(root, key)); };
  system_info found;
  found.id = text_of(root, "ID");
  found.name = text_of(root, "Name");
  found.server_version = text_of(root, "ServerVersion");
  found.operating_system = text_of(root, "OperatingSystem");
  found.os_type = text_of(root, "OSType");
  found.architecture = text_of(root, "Architecture");
  found.kernel_version = text_of(root, "KernelVersion");
  found.cpus = count("NCPU");
  found.memory = number_of(root, "MemTotal");
  found.root_dir = text_of(root, "DockerRootDir");
  found.storage_driver = text_of(root, "Driver");
  found.logging_driver = text_of(root, "LoggingDriver");
  found.cgroup_driver = text_of(root, "CgroupDriver");
  found.cgroup_version = text_of(root, "CgroupVersion");
  found.default_runtime = text_of(root, "DefaultRuntime");
  found.runtimes = keys_of(root.find("Runtimes"));
  found.security_options = texts_of(root.find("SecurityOptions"));
  const json::value registries = root.find("RegistryConfig");
  found.insecure_registries = texts_of(registries.find("InsecureRegistryCIDRs"));
  for (const json::member one : registries.find("IndexConfigs").members()) {
    if (!one.value.find("Secure").as_bool().value_or(true)) found.insecure_registries.emplace_back(one.name);
  }
  found.registry_mirrors = texts_of(registries.find("Mirrors"));
  found.warnings = texts_of(root.find("Warnings"));
  found.containers = count("Containers");
  found.containers_running = count("ContainersRunning");
  found.containers_paused = count("ContainersPaused");
  found.containers_stopped = count("ContainersStopped");
  found.images = count("Images");
  found.raw = std::move(answered.text);
  return found;
}

void start_ping(client daemon, diagnostics* why, completion_handler<ping_result> handler) {
  auto state = daemon.state();
  spawn<ping_result>(state->strand, why, std::move(handler),
                     [state](diagnostics& words) { return ping(state, words); });
}

void start_version(client daemon, diagnostics* why, completion_handler<version_result> handler) {
  start_ask<version_result>(daemon, endpoint("GET", "/version"), &read_version, why, std::move(handler));
}

void start_info(client daemon, diagnostics* why, completion_handler<system_info> handler) {
  start_ask<system_info>(daemon, requests::info(), &read_system_info, why, std::move(handler));
}

}  // namespace dockline::engine
