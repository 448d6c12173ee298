#pragma once

#include <dockline/engine/image_list.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {

// How the list of images is shown.
struct image_view {
  image_view() = default;

  bool ids_only = false;
  bool whole_ids = false;
  bool digests = false;
};

// A name of an image: an image with two names is two rows, as docker shows it. Empty fields are not known.
struct image_row {
  image_row() = default;

  std::string repository;
  std::string tag;
  std::string digest;
  std::string id;
  std::int64_t created = 0;  // seconds since 1970
  std::int64_t size = 0;     // bytes
};

// Newest first. Of an image that has no tag its digests are the rows, if there are any.
std::vector<image_row> image_rows(const std::vector<engine::image_summary>& images, const image_view& view);

// Leaves the rows that a name ("app", "app:1", with or without the registry) or a pattern means. Engines
// answer with images, and an image that is meant by one of its names has others.
void keep_named(std::vector<image_row>& rows, std::string_view name);

std::string image_table(const std::vector<image_row>& rows, const image_view& view, std::int64_t now);
// One object a line: id, repository, tag, digest (null: none), created (seconds since 1970), size (bytes).
std::string image_json(const std::vector<image_row>& rows);
// One id a line, each once for each of its names, as docker prints them.
std::string image_ids(const std::vector<image_row>& rows, const image_view& view);

}  // namespace dockline::tool
