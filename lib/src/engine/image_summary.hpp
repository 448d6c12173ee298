#pragma once

#include "dockline/engine/image_list.hpp"

#include "engine/answer_fields.hpp"

namespace dockline::engine {

// A row of the image list, which /system/df has as well.
inline image_summary image_summary_of(json::value row) {
  image_summary image;
  image.id = text_of(row, "Id");
  image.parent_id = text_of(row, "ParentId");
  image.repo_tags = texts_of(row.find("RepoTags"));
  image.repo_digests = texts_of(row.find("RepoDigests"));
  // How dockerd up to 23 writes that there is none.
  std::erase(image.repo_tags, "<none>:<none>");
  std::erase(image.repo_digests, "<none>@<none>");
  image.created = number_of(row, "Created");
  image.size = number_of(row, "Size");
  image.shared_size = number_of(row, "SharedSize", -1);
  image.containers = number_of(row, "Containers", -1);
  image.labels = pairs_of(row.find("Labels"));
  return image;
}

}  // namespace dockline::engine
