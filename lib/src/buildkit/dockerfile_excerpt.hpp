#pragma once

// Where in a Dockerfile a build failed. POST /build does not tell, so that it is found by the place of the
// step in its stage, or by what the error says.

#include <optional>
#include <string>
#include <string_view>

namespace dockline::buildkit {

struct line_range {
  line_range() = default;
  line_range(int from, int to) : first(from), last(to) {}

  int first = 0;  // counted from 1
  int last = 0;
};

// The lines of the instruction that a step's title names: "[builder 2/4] RUN make", or "[internal] load
// metadata for docker.io/library/debian:12" for a FROM.
std::optional<line_range> lines_of_step(std::string_view dockerfile, std::string_view title);

// The line that a parser's error names: "dockerfile parse error on line 5: …".
std::optional<line_range> lines_of_error(std::string_view dockerfile, std::string_view words);

// The lines, with some around them, as buildx shows them. `name` is what the Dockerfile is called.
std::string excerpt_of(std::string_view dockerfile, std::string_view name, line_range marked);

}  // namespace dockline::buildkit
