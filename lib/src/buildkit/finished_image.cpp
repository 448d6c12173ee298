#include "buildkit/finished_image.hpp"

#include "dockline/engine/credentials.hpp"
#include "dockline/engine/image_ref.hpp"
#include "dockline/engine/image_transfer.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/registry_auth.hpp"

#include "progress/event_now.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dockline::buildkit {
namespace {

void warn_of(const build_job& job, build_result& built, std::vector<std::string> texts) {
  for (std::string& text : texts) {
    built.warnings.push_back(text);
    progress::warning warned;
    warned.text = std::move(text);
    if (job.on_event) job.on_event(progress::event_now(std::move(warned)));
  }
}

struct named_registry {
  std::string name;      // of the image
  std::string registry;  // its domain
};

result<std::vector<named_registry>> registries_of(const std::vector<std::string>& names, diagnostics& why) {
  std::vector<named_registry> found;
  for (const std::string& name : names) {
    const auto reference = engine::parse_image_ref(name, why);
    if (!reference) return reference.error();
    found.push_back({name, reference->domain});
  }
  return found;
}

// What the registries are logged in to with, by engine::registry_key(); those of which nothing is known are left
// out. Each credential helper is asked once, however many names the image has.
task<std::map<std::string, engine::registry_auth>> logins_for(std::shared_ptr<build_job> job,
                                                              const std::vector<named_registry>& images,
                                                              build_result& built, diagnostics& why) {
  std::map<std::string, engine::registry_auth> logins;
  for (const auto& [registry, auth] : job->options.image.registry_auths)
    logins.emplace(engine::registry_key(registry), auth);
  std::vector<std::string> unknown;
  for (const named_registry& one : images)
    if (!logins.contains(engine::registry_key(one.registry))) unknown.push_back(one.registry);
  if (unknown.empty() || !job->options.credentials) co_return logins;
  auto [code, found] = co_await engine::async_find_credentials(
      job->daemon.get_executor(), *job->options.credentials, std::move(unknown), why, unless_cancelled);
  if (code) co_return code;
  warn_of(*job, built, std::move(found.warnings));
  for (auto& [registry, auth] : found.auths) logins.emplace(engine::registry_key(registry), std::move(auth));
  co_return logins;
}

}  // namespace

task<build_result> with_digests(std::shared_ptr<build_job> job, build_result built) {
  diagnostics unheard;
  auto [code, found] =
      co_await engine::async_image_inspect(job->daemon, built.image_id, unheard, unless_cancelled);
  if (co_await is_cancelled()) co_return aborted();
  if (!code) {
    built.config_digest = std::move(found.config_digest);
    built.manifest_digest = std::move(found.manifest_digest);
  }
  co_return built;
}

task<build_result> pushed(std::shared_ptr<build_job> job, build_result built, diagnostics& why) {
  const auto images = registries_of(job->options.image.tags, why);
  if (!images) co_return images.error();
  auto logins = co_await logins_for(job, *images, built, why);
  if (!logins) co_return logins.error();
  for (const named_registry& image : *images) {
    engine::push_options options;
    if (const auto login = logins->find(engine::registry_key(image.registry)); login != logins->end())
      options.auth = login->second;
    auto [code, sent] = co_await engine::async_image_push(job->daemon, image.name, std::move(options),
                                                          job->on_event, why, unless_cancelled);
    if (code) co_return code;
    built.manifest_digest = sent.tags.back().digest;
  }
  co_return built;
}

}  // namespace dockline::buildkit
