#pragma once

// Names of images: "app", "127.0.0.1:5000/team/app:1", "docker.io/library/app@sha256:…".

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// A reference, normalised as Docker does it: "app" is "docker.io/library/app". Tag and digest stay as
// written.
struct image_ref {
  image_ref() = default;

  std::string domain;  // "docker.io", "127.0.0.1:5000"
  std::string path;    // "library/app"
  std::string tag;     // empty: none was given
  std::string digest;  // "sha256:…", empty: none was given

  bool operator==(const image_ref&) const = default;  // part by part
};

// Reads a reference by the grammar of the distribution project (reference.go), ids excluded: 64 hexadecimal
// digits are no name.
// Errors: errc::invalid_reference; the diagnostics name the reference and the rule that it breaks.
DOCKLINE_API result<image_ref> parse_image_ref(std::string_view text, diagnostics& why);

// With domain, tag ("latest" when neither tag nor digest was given) and digest.
DOCKLINE_API std::string to_string(const image_ref& reference);

}  // namespace dockline::engine
