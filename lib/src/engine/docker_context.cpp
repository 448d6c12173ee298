#include "dockline/engine/docker_context.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/sha256.hpp"
#include "engine/settings_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace dockline::engine {
namespace {

// The name of a context's folders. By the sum, so no name leads out of the store.
std::string folder_of(std::string_view name) { return encode_hex(sha256(name)); }

}  // namespace

result<docker_context> parse_docker_context(std::string_view text, const std::string& path,
                                            diagnostics& why) {
  const auto parsed = parse_settings(text, path, why);
  if (!parsed) return parsed.error();
  const json::value root = parsed->root();
  const json::value endpoint = root.find("Endpoints").find("docker");
  docker_context found;
  found.name = root.find("Name").string_or_empty();
  found.description = root.find("Metadata").find("Description").string_or_empty();
  found.host = endpoint.find("Host").string_or_empty();
  if (found.host.empty()) {
    why.set_client_message(path + ": \"Endpoints\", \"docker\", \"Host\": not there");
    return errc::bad_configuration;
  }
  found.tls.verify = !endpoint.find("SkipTLSVerify").as_bool().value_or(false);
  return found;
}

result<docker_context> read_docker_context(const std::string& config_directory, std::string_view name,
                                           diagnostics& why) {
  const std::string store = config_directory + "/contexts";
  const std::string path = store + "/meta/" + folder_of(name) + "/meta.json";
  const auto text = read_settings_file(path, why);
  if (!text) return text.error();
  if (!*text) {
    why.set_client_message("context \"" + std::string(name) + "\": not found in " + store);
    return errc::invalid_argument;
  }
  auto read = parse_docker_context(**text, path, why);
  if (!read) return read.error();
  docker_context found = std::move(*read);
  found.name = name;
  const auto file = [&](std::string_view which) {
    const std::string where = store + "/tls/" + folder_of(name) + "/docker/" + std::string(which);
    return ::access(where.c_str(), F_OK) == 0 ? where : std::string();
  };
  found.tls.ca_file = file("ca.pem");
  found.tls.certificate_file = file("cert.pem");
  found.tls.key_file = file("key.pem");
  found.tls.enabled = !found.tls.verify || !found.tls.ca_file.empty() ||
                      !found.tls.certificate_file.empty() || !found.tls.key_file.empty();
  return found;
}

docker_context_list list_docker_contexts(const std::string& config_directory) {
  namespace fs = std::filesystem;
  docker_context_list found;
  const fs::path store = config_directory + "/contexts/meta";
  std::error_code failed;
  std::vector<std::string> files;
  for (fs::directory_iterator at(store, failed), end; !failed && at != end; at.increment(failed))
    files.push_back(at->path().string() + "/meta.json");
  if (failed && failed != std::errc::no_such_file_or_directory)
    found.problems.push_back(store.string() + ": " + failed.message());
  std::ranges::sort(files);
  for (const auto& path : files) {
    diagnostics why;
    const auto text = read_settings_file(path, why);
    if (text && !*text) continue;
    const auto parsed = text ? parse_settings(**text, path, why) : result<json::document>(text.error());
    if (parsed) {
      const std::string name(parsed->root().find("Name").string_or_empty());
      if (auto context = read_docker_context(config_directory, name, why)) {
        found.contexts.push_back(std::move(*context));
        continue;
      }
    }
    found.problems.push_back(why.client_message());
  }
  std::ranges::sort(found.contexts, {}, &docker_context::name);
  return found;
}

}  // namespace dockline::engine
