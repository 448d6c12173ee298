#pragma once

// All of the library. A source that builds images only needs archive/build_context.hpp and engine/build.hpp.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"
#include "dockline/core/stream.hpp"
#include "dockline/engine/attach.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/containers.hpp"
#include "dockline/engine/image_ref.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/run.hpp"
#include "dockline/engine/system.hpp"
#include "dockline/http/address.hpp"
#include "dockline/progress/event.hpp"
#include "dockline/progress/json_renderer.hpp"
#include "dockline/progress/plain_renderer.hpp"
#include "dockline/progress/printable.hpp"
#include "dockline/version.hpp"
