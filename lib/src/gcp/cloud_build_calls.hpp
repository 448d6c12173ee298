#pragma once

#include "dockline/gcp/cloud_build.hpp"

#include "gcp/client_state.hpp"

#include <memory>
#include <string>

namespace dockline::gcp {

// As the operations of cloud_build.hpp, inside one. `where` names the project.
task<build_record> create_and_find(std::shared_ptr<client_state> state, build_place where, build_request what,
                                   diagnostics& why);
task<build_record> get(std::shared_ptr<client_state> state, build_place where, std::string id,
                       diagnostics& why);
// `goes_on` becomes true when the wait ended before the build, and did not stop it.
task<build_record> wait_for(std::shared_ptr<client_state> state, build_place where, std::string id,
                            wait_options options, progress::event_sink on_event, bool& goes_on,
                            diagnostics& why);

// Cancels a build within some seconds, also for an operation that is itself cancelled. Nothing is said when
// that fails.
asio::awaitable<void> stop_build(std::shared_ptr<client_state> state, build_place where, std::string id);

// The place with its project, and the region "global" where none is named. Errors: errc::no_credentials where
// nobody asks Google's own Cloud Build. Errors: those of async_project_id.
task<build_place> settle(std::shared_ptr<client_state> state, build_place where, diagnostics& why);

// The same for a build that is asked for: without a region it is in that of its private pool.
task<build_place> settle(std::shared_ptr<client_state> state, build_place where, const build_request& what,
                         diagnostics& why);

}  // namespace dockline::gcp
