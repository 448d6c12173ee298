#pragma once

#include <dockline/containerize/config.hpp>
#include <dockline/core/diagnostics.hpp>

#include <string>
#include <string_view>

namespace sample {

// What a client asks for: a JSON object of the options of `dockline containerize --config`, but for those that
// a daemon can do nothing with. Paths start at `root`. Does not look at the disk.
dockline::result<dockline::containerize::containerize_options> read_build_request(std::string_view body,
                                                                                  const std::string& root,
                                                                                  dockline::diagnostics& why);

// Whether a path that starts at `root` does not lead out of it. Waits for the disk.
bool stays_below(const std::string& root, const std::string& path);

}  // namespace sample
