#pragma once

#include "dockline/containerize/image_builder.hpp"
#include "dockline/gcp/client.hpp"

#include "core/spawn.hpp"

#include <string>

namespace dockline::containerize {

// Asks the registry itself, anonymously, whether it has an image, over a Google client's ways to the web.
// `endpoint` takes the place of the registry's own "https://HOST"; empty: that. Errors: operation_aborted
// alone; what else goes wrong is an answer, too.
task<image_lookup> ask_registry(gcp::client web, std::string image, std::string endpoint, diagnostics& why);

}  // namespace dockline::containerize
