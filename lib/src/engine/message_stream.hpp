#pragma once

// Answers that go on: JSON values, one after the other, for as long as the daemon has something to say.

#include "engine/client_state.hpp"

#include <functional>
#include <string_view>

namespace dockline::engine {

// Given each value as it came; an error that it returns ends the reading.
using value_taker = std::function<error_code(std::string_view value)>;

// Reads the values of an answer to its end, each taken before more is read. `what` names the answer in the
// words about one that is no JSON.
task<void> read_values(http::exchange& over, value_taker take, std::string_view what, diagnostics& why);

// Asks, and reads the values of the answer to its end; the connection is kept for the next request.
task<void> stream_values(std::shared_ptr<client_state> state, endpoint what, value_taker take,
                         std::string_view name, diagnostics& why);

}  // namespace dockline::engine
