#pragma once

// What `build` leaves behind for scripts, whoever built.

#include "console.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {

struct build_arguments;

// What is there from an earlier build must not pass for a result of this one. False, after saying why, where a
// file can never be written.
bool remove_old_outcome(const build_arguments& arguments, console& terminal);

// Write --iidfile and --metadata-file, if they are asked for. `id` is that of the image's configuration,
// `digest` that of its manifest; empty where it is not known. False, after saying why, when the file cannot be
// written.
bool write_iidfile(const build_arguments& arguments, const std::string& id, console& terminal);
bool write_metadata(const build_arguments& arguments, const std::string& id, const std::string& digest,
                    console& terminal);

}  // namespace dockline::tool
