#pragma once

#include "dockline/core/byte_source.hpp"

#include "archive/context_state.hpp"

#include <memory>
#include <string>

namespace dockline::archive {

// The tar of a context as gzip, in blocks that are compressed side by side on the executor for work: one
// member, which every reader takes.
std::unique_ptr<byte_source> make_gzip_source(const build_context::state& context, std::string content_hash);

}  // namespace dockline::archive
