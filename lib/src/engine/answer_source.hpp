#pragma once

#include "dockline/core/byte_source.hpp"

#include "engine/client_state.hpp"

#include <memory>

namespace dockline::engine {

// The body of an answer, to be pulled: what is not asked for is not read from the connection, so that the
// daemon waits. At its end the connection goes back to the client; dropped before, it is closed.
std::shared_ptr<byte_source> make_answer_source(std::shared_ptr<client_state> state,
                                                std::unique_ptr<http::exchange> over);

}  // namespace dockline::engine
