#pragma once

// What `build` leaves behind for scripts, whoever built.

#include "console.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {

struct build_arguments;

// The image that a build has made. Empty is what is not known: the id of a result that went elsewhere, too.
struct made_image {
  made_image() = default;

  std::string id;
  std::string config_digest;
  std::string manifest_digest;  // or that of the index of several
};

// What is there from an earlier build must not pass for a result of this one. False, after saying why, where a
// file can never be written.
bool remove_old_outcome(const build_arguments& arguments, console& terminal);

// Write --iidfile and --metadata-file, if they are asked for. False, after saying why, when the file cannot be
// written.
bool write_iidfile(const build_arguments& arguments, const std::string& id, console& terminal);
bool write_metadata(const build_arguments& arguments, const made_image& image, console& terminal);

}  // namespace dockline::tool
