#pragma once

// From a program to an image that runs it: the directory, a Dockerfile made for it, and whoever builds.

#include "dockline/containerize/config.hpp"
#include "dockline/containerize/environment.hpp"
#include "dockline/containerize/image_builder.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/progress/event.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dockline::containerize {

// All that is decided before anything is built.
struct containerize_plan {
  containerize_plan() = default;

  image_order order;                  // what the builder would be given
  std::string parent_image;           // what the image is built from
  std::string entry_point;            // its path in the context: of a notebook, that of the script made of it
  std::vector<std::string> warnings;  // all of them, also those that were events
};

DOCKLINE_API void start_plan_image(std::shared_ptr<image_builder> builder, containerize_options options,
                                   containerize_environment environment, progress::event_sink on_event,
                                   diagnostics* why, completion_handler<containerize_plan> handler);
DOCKLINE_API void start_containerize(std::shared_ptr<image_builder> builder, containerize_options options,
                                     containerize_environment environment, progress::event_sink on_event,
                                     diagnostics* why, completion_handler<containerized_image> handler);

// Decides what async_containerize() would build, and builds nothing: checks the options, looks at the program
// and its directory, chooses the parent image and the image's name, writes the Dockerfile. The builder is
// asked only whether the image of the local TensorFlow is there, and only where that is what decides.
//
// Completion: with the plan. Never before this function returns.
// Signature: void(error_code, containerize_plan), on the token's associated executor, by default the
// builder's.
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets
// progress::warning.
// Cancellation: any type; the files that are being looked at are waited for. Nothing was changed.
// Errors: errc::invalid_argument and errc::invalid_reference, where the diagnostics name field, value and
// rule; errc::invalid_pattern for a .dockerignore that cannot be read.
// Source: as async_containerize.
// Example: docs/service.md.
template <class Token = default_token>
auto async_plan_image(std::shared_ptr<image_builder> builder, containerize_options options,
                      containerize_environment environment, progress::event_sink on_event, diagnostics& why,
                      Token&& token = {}) {
  return initiate<containerize_plan>(&start_plan_image, std::forward<Token>(token), &why, std::move(builder),
                                     std::move(options), std::move(environment), std::move(on_event));
}
template <class Token = default_token>
auto async_plan_image(std::shared_ptr<image_builder> builder, containerize_options options,
                      containerize_environment environment, progress::event_sink on_event,
                      Token&& token = {}) {
  return initiate<containerize_plan>(&start_plan_image, std::forward<Token>(token), nullptr,
                                     std::move(builder), std::move(options), std::move(environment),
                                     std::move(on_event));
}

// Makes an image that runs a program, and pushes it unless the options say no.
//
// Completion: with the image, once it is where it belongs. Never before this function returns.
// Signature: void(error_code, containerized_image), on the token's associated executor, by default the
// builder's.
// Lifetimes: `why` stays until completion; the rest is kept. `on_event` may be empty; it gets the events of
// the build and the push.
// Cancellation: any type; before the build as async_plan_image, then as the builder's: buildkit::async_build,
// engine::async_build and engine::async_image_push, or gcp::async_build.
// Errors: those of async_plan_image, before the build; then those of archive::async_open_context and of the
// builder, which make_local_builder() and make_cloud_builder() tell.
// Source: tensorflow_cloud's DockerConfig and containerize.
// Example: docs/containerize.md.
template <class Token = default_token>
auto async_containerize(std::shared_ptr<image_builder> builder, containerize_options options,
                        containerize_environment environment, progress::event_sink on_event, diagnostics& why,
                        Token&& token = {}) {
  return initiate<containerized_image>(&start_containerize, std::forward<Token>(token), &why,
                                       std::move(builder), std::move(options), std::move(environment),
                                       std::move(on_event));
}
template <class Token = default_token>
auto async_containerize(std::shared_ptr<image_builder> builder, containerize_options options,
                        containerize_environment environment, progress::event_sink on_event,
                        Token&& token = {}) {
  return initiate<containerized_image>(&start_containerize, std::forward<Token>(token), nullptr,
                                       std::move(builder), std::move(options), std::move(environment),
                                       std::move(on_event));
}

}  // namespace dockline::containerize
