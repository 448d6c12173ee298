#pragma once

// Requests whose answer hands the connection over: a container's streams, a session of BuildKit.

#include "dockline/core/stream.hpp"

#include "core/spawn.hpp"
#include "engine/endpoint.hpp"

#include <memory>
#include <string>

namespace dockline::engine {

struct client_state;

struct taken_connection {
  taken_connection() = default;

  std::unique_ptr<stream> connection;
  std::string early;  // what came together with the head of the answer
};

// Sends a request that asks for an upgrade, and returns the connection once it is ours.
// Errors: errc::unexpected_answer when the daemon answers well and does not upgrade; those of a request.
task<taken_connection> take_over_connection(std::shared_ptr<client_state> state, endpoint what,
                                            diagnostics& why);

}  // namespace dockline::engine
