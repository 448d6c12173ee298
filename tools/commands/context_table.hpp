#pragma once

#include <dockline/archive/context_listing.hpp>

#include <string>

namespace dockline::tool {

// A listing for a person who wonders why the context is so large: the largest directories and files first,
// then what each line of the ignore file dropped.
std::string context_table(const archive::build_context& context, const archive::context_listing& listing);

// "12.3 MB"; decimal, as docker shows sizes.
std::string size_text(std::uint64_t bytes);

}  // namespace dockline::tool
