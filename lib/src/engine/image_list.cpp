#include "dockline/engine/image_list.hpp"

#include "engine/answers.hpp"
#include "engine/image_requests.hpp"
#include "engine/image_summary.hpp"
#include "engine/one_answer.hpp"

namespace dockline::engine {

std::vector<image_summary> read_image_list(json_answer& answered) {
  std::vector<image_summary> rows;
  for (const json::value one : answered.root().elements()) rows.push_back(image_summary_of(one));
  return rows;
}

images_pruned read_images_pruned(json_answer& answered) {
  images_pruned gone;
  for (const json::value one : answered.root().find("ImagesDeleted").elements()) {
    if (const auto name = one.find("Untagged").as_string()) gone.untagged.emplace_back(*name);
    if (const auto id = one.find("Deleted").as_string()) gone.deleted.emplace_back(*id);
  }
  gone.space_reclaimed = number_of(answered.root(), "SpaceReclaimed");
  return gone;
}

std::vector<found_image> read_found_images(json_answer& answered) {
  std::vector<found_image> rows;
  for (const json::value one : answered.root().elements()) {
    found_image row;
    row.name = text_of(one, "name");
    row.description = text_of(one, "description");
    row.stars = number_of(one, "star_count");
    row.official = truth_of(one, "is_official");
    rows.push_back(std::move(row));
  }
  return rows;
}

void start_image_list(client daemon, image_list_options options, diagnostics* why,
                      completion_handler<std::vector<image_summary>> handler) {
  start_ask_versioned<std::vector<image_summary>>(
      daemon,
      [options = std::move(options)](api_version version, diagnostics& words) {
        return requests::image_list(options, version, words);
      },
      &read_image_list, why, std::move(handler));
}

void start_image_prune(client daemon, image_prune_options options, diagnostics* why,
                       completion_handler<images_pruned> handler) {
  start_ask<images_pruned>(daemon, requests::image_prune(options), &read_images_pruned, why,
                           std::move(handler));
}

void start_image_search(client daemon, std::string term, image_search_options options, diagnostics* why,
                        completion_handler<std::vector<found_image>> handler) {
  start_ask<std::vector<found_image>>(daemon, requests::image_search(term, options), &read_found_images, why,
                                      std::move(handler));
}

}  // namespace dockline::engine
