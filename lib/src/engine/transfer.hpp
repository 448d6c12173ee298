#pragma once

#include "engine/client_state.hpp"
#include "progress/transfer_messages.hpp"

#include <memory>
#include <string_view>

namespace dockline::engine {

// Sends the request and reads the messages of its answer to the end. What fails is told with the code that
// its words stand for; `name` ("push") is what the answer is called in our own.
task<void> transfer(std::shared_ptr<client_state> state, endpoint what, progress::transfer_messages& messages,
                    std::string_view name, diagnostics& why);

}  // namespace dockline::engine
