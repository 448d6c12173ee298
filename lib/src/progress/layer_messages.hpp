#pragma once

// What a daemon says of a layer, or of an image as a whole, in a message with a `status`.

#include "dockline/progress/event.hpp"

#include "core/json.hpp"
#include "progress/frequent_messages.hpp"

#include <string_view>

namespace dockline::progress {

// The phase that a status of dockerd or podman stands for; `none` for other words.
layer_phase phase_of(std::string_view status);

// The phase's name as it stands in event.hpp.
std::string_view name_of(layer_phase phase);

// The event of a message {"status":"…","progressDetail":{…},"id":"…"}.
layer_progress layer_of(const json::value& message);
layer_progress layer_of(const layer_message& message);

}  // namespace dockline::progress
