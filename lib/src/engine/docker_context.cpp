#include "dockline/engine/docker_context.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "engine/settings_file.hpp"

#include <openssl/sha.h>
#include <unistd.h>

#include <array>

namespace dockline::engine {
namespace {

// The name of a context's folders. By the sum, so no name leads out of the store.
std::string folder_of(std::string_view name) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> sum{};
  ::SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), sum.data());
  return encode_hex({reinterpret_cast<const char*>(sum.data()), sum.size()});
}

}  // namespace

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
  const auto parsed = parse_settings(**text, path, why);
  if (!parsed) return parsed.error();
  const json::value root = parsed->root();
  const json::value endpoint = root.find("Endpoints").find("docker");
  docker_context found;
  found.name = name;
  found.description = root.find("Metadata").find("Description").string_or_empty();
  found.host = endpoint.find("Host").string_or_empty();
  if (found.host.empty()) {
    why.set_client_message(path + ": \"Endpoints\", \"docker\", \"Host\": not there");
    return errc::bad_configuration;
  }
  found.tls.verify = !endpoint.find("SkipTLSVerify").as_bool().value_or(false);
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

}  // namespace dockline::engine
