#pragma once

// The Dockerfile of an image that runs one program. Every value is written so that it means itself.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include <string>
#include <string_view>

namespace dockline::containerize {

struct dockerfile_parts {
  dockerfile_parts() = default;

  std::string parent_image;     // a reference that was parsed
  std::string destination_dir;  // absolute
  std::string requirements;     // its path in the context; empty: none
  bool tpu_client = false;
  std::string entry_point;  // its path in the context
};

// Requirements are copied alone and installed before the code is copied, so that a change of the code leaves
// their layer as it is. Errors: errc::invalid_argument for a path with a line break or a NUL, and
// for requirements that are a pattern.
result<std::string> make_dockerfile(const dockerfile_parts& parts, diagnostics& why);

// As one word of an instruction that expands variables, such as WORKDIR.
std::string dockerfile_word(std::string_view text);
// As a string of an instruction's JSON form.
std::string dockerfile_json(std::string_view text);
// As a source of COPY, in the JSON form, where variables are expanded and quotes taken away all the same.
std::string dockerfile_source(std::string_view path);

// A source of COPY is a pattern, and no way of writing one that means itself is read alike by dockerd,
// BuildKit and podman. What has such characters goes into the context under another name.
bool is_pattern(std::string_view path);

}  // namespace dockline::containerize
