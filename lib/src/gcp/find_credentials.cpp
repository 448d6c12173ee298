// Application default credentials: which ones there are.

#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/credentials.hpp"

#include "core/small_file.hpp"
#include "gcp/credential_source.hpp"

#include <unistd.h>

#include <utility>

namespace dockline::gcp {
namespace {

constexpr std::string_view adc_file = "application_default_credentials.json";

// Where gcloud keeps its settings; empty where that cannot be told.
std::string gcloud_folder(const environment& variables) {
  if (const auto folder = value_of(variables, "CLOUDSDK_CONFIG"); !folder.empty()) return std::string(folder);
  const auto home = value_of(variables, "HOME");
  return home.empty() ? std::string() : std::string(home) + "/.config/gcloud";
}

// Whether this machine says that it is one of Google's. Nobody is asked: off Google, an address that nothing
// answers at would cost seconds.
bool is_at_google(const environment& variables) {
  if (value_of(variables, "NO_GCE_CHECK") == "true") return false;
  // A metadata server that was named is there; the others are set where programs run without a machine.
  for (const auto name :
       {"GCE_METADATA_HOST", "GCE_METADATA_ROOT", "K_SERVICE", "CLOUD_RUN_JOB", "GAE_ENV"}) {
    if (!value_of(variables, name).empty()) return true;
  }
  diagnostics ignored;
  const auto product = read_small_file("/sys/class/dmi/id/product_name", ignored);
  return product && *product && (*product)->starts_with("Google");
}

std::string text_of(const std::string& path) {
  diagnostics ignored;
  auto text = read_small_file(path, ignored);
  return text && *text ? std::move(**text) : std::string();
}

}  // namespace

std::string ini_value(std::string_view text, std::string_view section, std::string_view key) {
  const auto trim = [](std::string_view part) {
    while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
    while (!part.empty() && (part.back() == ' ' || part.back() == '\t' || part.back() == '\r'))
      part.remove_suffix(1);
    return part;
  };
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.starts_with('[')) {
      inside = line == '[' + std::string(section) + ']';
    } else if (const std::size_t equals = line.find('='); inside && equals != line.npos) {
      if (trim(line.substr(0, equals)) == key) return std::string(trim(line.substr(equals + 1)));
    }
  }
  return {};
}

environment environment_of_process() {
  environment variables;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text(*one);
    const std::size_t equals = text.find('=');
    if (equals != text.npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

error_code none_found(diagnostics& why) {
  why.set_client_message(
      "no Google Cloud credentials were found; run: gcloud auth application-default login, or let "
      "GOOGLE_APPLICATION_CREDENTIALS name the key file of a service account");
  return errc::no_credentials;
}

result<credentials> find_credentials(const environment& variables, diagnostics& why) {
  std::string path(value_of(variables, "GOOGLE_APPLICATION_CREDENTIALS"));
  const bool named = !path.empty();
  if (!named) {
    path = gcloud_folder(variables);
    if (!path.empty()) path += '/' + std::string(adc_file);
  }
  if (!path.empty()) {
    const auto text = read_small_file(path, why);
    if (!text) return text.error();
    if (*text) return parse_credentials(**text, path, variables, why);
    if (named) {
      why.set_client_message(path + ": not there, though GOOGLE_APPLICATION_CREDENTIALS names it");
      return errc::bad_configuration;
    }
  }
  if (is_at_google(variables)) return metadata_credentials();
  // An emulator is asked without a token, and who works with one need not have an account.
  if (!value_of(variables, "STORAGE_EMULATOR_HOST").empty()) return no_credentials();
  return none_found(why);
}

result<credentials> credentials_from_environment(diagnostics& why) {
  return find_credentials(environment_of_process(), why);
}

std::string project_from(const environment& variables) {
  for (const auto name : {"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"}) {
    if (const auto project = value_of(variables, name); !project.empty()) return std::string(project);
  }
  return {};
}

std::string gcloud_project_from(const environment& variables) {
  if (const auto project = value_of(variables, "CLOUDSDK_CORE_PROJECT"); !project.empty())
    return std::string(project);
  const std::string folder = gcloud_folder(variables);
  if (folder.empty()) return {};
  std::string active(value_of(variables, "CLOUDSDK_ACTIVE_CONFIG_NAME"));
  if (active.empty()) active = text_of(folder + "/active_config");
  while (!active.empty() && (active.back() == '\n' || active.back() == '\r')) active.pop_back();
  if (active.empty()) active = "default";
  // It is a part of a path.
  if (active.find('/') != active.npos) return {};
  return ini_value(text_of(folder + "/configurations/config_" + active), "core", "project");
}

std::string known_project(const client_options& options, const credentials& who) {
  if (!options.project.empty()) return options.project;
  return who.project().empty() ? options.fallback_project : who.project();
}

client_options client_options_from(const environment& variables) {
  client_options options;
  const auto first = [&](std::string_view name, std::string_view other) {
    const auto value = value_of(variables, name);
    return std::string(value.empty() ? value_of(variables, other) : value);
  };
  options.storage_endpoint = value_of(variables, "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE");
  if (const auto emulator = value_of(variables, "STORAGE_EMULATOR_HOST"); !emulator.empty()) {
    const bool bare = emulator.find("://") == emulator.npos;
    options.storage_endpoint = (bare ? "http://" : "") + std::string(emulator);
    options.anonymous_storage = true;
  }
  options.cloud_build_endpoint = value_of(variables, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD");
  options.resource_manager_endpoint =
      value_of(variables, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER");
  options.metadata_host = first("GCE_METADATA_HOST", "GCE_METADATA_ROOT");
  options.https_proxy = first("HTTPS_PROXY", "https_proxy");
  // A CGI program's HTTP_PROXY is whatever the other side of its request sent as "Proxy".
  options.http_proxy = value_of(variables, "REQUEST_METHOD").empty() ? first("HTTP_PROXY", "http_proxy") : "";
  options.no_proxy = first("NO_PROXY", "no_proxy");
  options.quota_project = value_of(variables, "GOOGLE_CLOUD_QUOTA_PROJECT");
  options.project = project_from(variables);
  options.fallback_project = gcloud_project_from(variables);
  return options;
}

}  // namespace dockline::gcp
