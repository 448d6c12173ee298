#pragma once

#include "archive/context_state.hpp"

#include <memory>
#include <string>

namespace dockline::archive {

class packing;

// The tar of a context as gzip, in blocks that are compressed side by side on the executor for work: one
// member, which every reader takes.
std::shared_ptr<packing> make_gzip_packing(const build_context::state& context, std::string content_hash);

}  // namespace dockline::archive
