#pragma once

#include "dockline/core/byte_source.hpp"

#include "archive/context_state.hpp"

#include <memory>

namespace dockline::archive {

// The bytes of a context, made on its executor for work, one job a read.
std::unique_ptr<byte_source> make_context_source(const build_context::state& context);

}  // namespace dockline::archive
