#include "containerize/registry_lookup.hpp"

#include "dockline/engine/image_ref.hpp"

#include "engine/registry_challenge.hpp"
#include "engine/registry_token.hpp"
#include "gcp/client_state.hpp"

#include <utility>

namespace dockline::containerize {
namespace {

// Docker Hub's images are in a registry of another name than theirs.
std::string endpoint_of(const std::string& domain) {
  return "https://" + (domain == "docker.io" ? std::string("registry-1.docker.io") : domain);
}

gcp::api_call manifest_call(const std::string& url, const std::string& token) {
  gcp::api_call call("GET", url);
  call.service = "the registry";
  call.with(
      "Accept",
      "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
      "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json");
  if (!token.empty()) call.with("Authorization", "Bearer " + token);
  return call;
}

// A registry may not lead to a token in plain text, unless it was itself reached like that.
bool may_follow(const std::string& realm, const std::string& endpoint) {
  return realm.starts_with("https://") || endpoint.starts_with("http://");
}

image_lookup lookup_of(int status) {
  image_lookup answer;
  if (status == 200) {
    answer.presence = image_presence::present;
  } else if (status == 404) {
    answer.presence = image_presence::absent;
    answer.reason = "the registry has no such image";
  } else if (status == 401 || status == 403) {
    answer.presence = image_presence::absent;
    answer.reason = "the registry has no such image, or keeps it from those that it does not know";
  } else {
    answer.reason = "the registry answers with status " + std::to_string(status);
  }
  return answer;
}

task<image_lookup> fail(error_code code, const diagnostics& why) {
  if (code == condition::cancelled) co_return code;
  image_lookup answer;
  answer.reason = describe(code, why);
  co_return answer;
}

}  // namespace

task<image_lookup> ask_registry(gcp::client web, std::string image, std::string endpoint, diagnostics& why) {
  const auto state = web.state();
  const auto reference = engine::parse_image_ref(image, why);
  if (!reference) co_return co_await fail(reference.error(), why);
  if (endpoint.empty()) endpoint = endpoint_of(reference->domain);
  std::string version = reference->digest.empty() ? reference->tag : reference->digest;
  if (version.empty()) version = "latest";
  const std::string url = endpoint + "/v2/" + reference->path + "/manifests/" + version;

  auto asked = co_await state->send(manifest_call(url, {}), why);
  if (!asked) co_return co_await fail(asked.error(), why);
  if (asked->status() != 401) co_return lookup_of(asked->status());
  const auto challenge = engine::read_challenge(asked->head.find("WWW-Authenticate"));
  if (!challenge || !may_follow(challenge->realm, endpoint)) co_return lookup_of(401);

  gcp::api_call wanted("GET", engine::token_url(*challenge));
  wanted.service = "the registry";
  auto given = co_await state->send(std::move(wanted), why);
  if (!given) co_return co_await fail(given.error(), why);
  if (given->status() != 200) co_return lookup_of(given->status());
  diagnostics unheard;
  const auto token = engine::read_registry_token(given->body, unheard);
  if (!token) co_return lookup_of(401);
  auto again = co_await state->send(manifest_call(url, token->value), why);
  if (!again) co_return co_await fail(again.error(), why);
  co_return lookup_of(again->status());
}

}  // namespace dockline::containerize
