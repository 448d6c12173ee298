#pragma once

#include <dockline/core/diagnostics.hpp>
#include <dockline/engine/build.hpp>
#include <dockline/progress/event.hpp>

#include "commands/build_arguments.hpp"
#include "commands/build_outcome.hpp"
#include "commands/build_source.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace dockline::tool {

// What a build with BuildKit is asked for, of the library.
struct buildkit_request;

// Reads those of the arguments that only BuildKit knows. Null, after saying why, when one cannot be what its
// option takes, or when this dockline was built without BuildKit and one is given. What --output says of an image's
// names and of a push becomes --tag and --push.
std::shared_ptr<buildkit_request> read_buildkit_request(build_arguments& arguments, console& terminal);

// Whether the result of the build is an image of the daemon's.
bool makes_image(const buildkit_request& request);

// Whether this dockline can build with BuildKit, and the build is not asked to be a classic one.
bool may_use_buildkit(const build_arguments& arguments);

// Builds with the builder that the request names.
boost::asio::awaitable<result<made_image>> run_build(engine::client daemon, build_source source,
                                                     engine::build_options options,
                                                     std::shared_ptr<buildkit_request> request,
                                                     progress::event_sink on_event, diagnostics& why);

}  // namespace dockline::tool
