#include "buildkit/finished_image.hpp"

#include "dockline/engine/credentials.hpp"
#include "dockline/engine/image_ref.hpp"
#include "dockline/engine/image_transfer.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/registry_auth.hpp"

#include "progress/event_now.hpp"

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

// What the registry of this name is logged in to with: nothing where nothing is known.
task<engine::registry_auth> login_for(std::shared_ptr<build_job> job, std::string name, build_result& built,
                                      diagnostics& why) {
  const auto reference = engine::parse_image_ref(name, why);
  if (!reference) co_return reference.error();
  const std::string key = engine::registry_key(reference->domain);
  for (const auto& [registry, auth] : job->options.image.registry_auths)
    if (engine::registry_key(registry) == key) co_return auth;
  if (!job->options.credentials) co_return engine::registry_auth();
  std::vector<std::string> registries(1, reference->domain);
  auto [code, found] = co_await engine::async_find_credentials(
      job->daemon.get_executor(), *job->options.credentials, std::move(registries), why, no_throw);
  if (code) co_return code;
  warn_of(*job, built, std::move(found.warnings));
  const auto auth = found.auths.find(reference->domain);
  co_return auth == found.auths.end() ? engine::registry_auth() : auth->second;
}

}  // namespace

task<build_result> with_digests(std::shared_ptr<build_job> job, build_result built) {
  diagnostics unheard;
  auto [code, found] = co_await engine::async_image_inspect(job->daemon, built.image_id, unheard, no_throw);
  if (co_await is_cancelled()) co_return aborted();
  if (!code) {
    built.config_digest = std::move(found.config_digest);
    built.manifest_digest = std::move(found.manifest_digest);
  }
  co_return built;
}

task<build_result> pushed(std::shared_ptr<build_job> job, build_result built, diagnostics& why) {
  for (const std::string& name : job->options.image.tags) {
    auto login = co_await login_for(job, name, built, why);
    if (!login) co_return login.error();
    engine::push_options options;
    options.auth = std::move(*login);
    auto [code, sent] = co_await engine::async_image_push(job->daemon, name, std::move(options),
                                                          job->on_event, why, no_throw);
    if (code) co_return code;
    built.manifest_digest = sent.tags.back().digest;
  }
  co_return built;
}

}  // namespace dockline::buildkit
