#pragma once

// What is copied into the image, found on the disk: the entry point's directory, and what goes in beside it.

#include "dockline/archive/build_context.hpp"
#include "dockline/containerize/config.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <string>
#include <vector>

namespace dockline::containerize {

struct source_plan {
  source_plan() = default;

  std::string directory;     // absolute, without symbolic links
  std::string entry_point;   // its path in there: of a notebook, that of its script
  std::string requirements;  // the same; empty: none
  // What lies elsewhere or is made here: a notebook's script, requirements from outside the directory, or
  // under a name that COPY would take for a pattern.
  std::vector<archive::extra_file> extra_files;
  std::vector<std::string> warnings;
};

// Looks at what the options name, and reads a notebook. Waits for the disk. The options were checked; their
// working_directory is not empty.
// Errors: errc::invalid_argument for an entry point or requirements that are missing, no file, outside the
// tree, or ignored by the directory's .dockerignore, and for a notebook that cannot be a script; the
// diagnostics name field, value and rule. errc::invalid_pattern for a .dockerignore that cannot be read.
result<source_plan> find_sources(const containerize_options& options, diagnostics& why);

}  // namespace dockline::containerize
