#include "buildkit/finished_image.hpp"

#include "dockline/engine/images.hpp"

#include <utility>

namespace dockline::buildkit {

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

}  // namespace dockline::buildkit
