#pragma once

#include "dockline/core/byte_source.hpp"

#include "archive/context_state.hpp"

#include <memory>
#include <string>

namespace dockline::archive {

class packing;

// The bytes of a context, made on its executor for work, one job a read. `content_hash` as in packing.
std::unique_ptr<byte_source> make_context_source(const build_context::state& context,
                                                 std::string content_hash = {});
// The same of a packing of this context that the caller made.
std::unique_ptr<byte_source> make_context_source(const build_context::state& context,
                                                 std::shared_ptr<packing> packed);

}  // namespace dockline::archive
