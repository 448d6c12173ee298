#pragma once

#include "gcp/client_state.hpp"

#include <chrono>
#include <memory>

namespace dockline::gcp {

// A request that is not broken off when the wait for it is cancelled: a session whose address nobody is told
// could not be dropped. `cancelled` tells that it was; there may be an answer all the same, if it came within
// `farewell`, and what follows is not cancelled any more.
task<api_answer> send_unbroken(std::shared_ptr<client_state> state, api_call call,
                               std::chrono::milliseconds farewell, bool& cancelled, diagnostics& why);

}  // namespace dockline::gcp
