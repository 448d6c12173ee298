#pragma once

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "archive/disk.hpp"

#include <span>
#include <string>
#include <vector>

namespace dockline::buildkit {

// What has to be sent for `paths` to be found at the other side: the symbolic links on the way to them, and
// what those lead to, within `root`; a last name may have wildcards. Sorted, nothing that lies in something
// else; empty when one of them is the root itself, that is, everything. Blocks.
//
// As fsutil's FollowLinks has it: what is not there stays in the list, and harms nobody.
// Errors: errc::unreadable_file; errc::invalid_argument for links beyond reason.
result<std::vector<std::string>> follow_paths(const archive::disk& files, const std::string& root,
                                              std::span<const std::string> paths, diagnostics& why);

}  // namespace dockline::buildkit
