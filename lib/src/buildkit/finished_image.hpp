#pragma once

// What follows a build whose image the daemon has.

#include "buildkit/session_build.hpp"

namespace dockline::buildkit {

// Adds the digests that the daemon tells. What it does not answer stays empty: the image is built all the same.
// Errors: asio::error::operation_aborted.
task<build_result> with_digests(std::shared_ptr<build_job> job, build_result built);

// Pushes the image under each of its names, and adds the digest that the registry knows it by. Errors: those of
// engine::async_image_push and engine::async_find_credentials.
task<build_result> pushed(std::shared_ptr<build_job> job, build_result built, diagnostics& why);

}  // namespace dockline::buildkit
