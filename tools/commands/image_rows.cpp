#include "commands/image_rows.hpp"

#include "human.hpp"
#include "json_text.hpp"
#include "table.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace dockline::tool {
namespace {

std::string shown_id(const image_row& row, const image_view& view) {
  // podman leaves the algorithm out.
  if (view.whole_ids) return row.id.starts_with("sha256:") ? row.id : "sha256:" + row.id;
  return short_id(row.id);
}

std::string known(const std::string& text) { return text.empty() ? "<none>" : text; }

}  // namespace

std::vector<image_row> image_rows(const std::vector<engine::image_summary>& images, const image_view& view) {
  std::vector<image_row> rows;
  for (const auto& image : images) {
    image_row row;
    row.id = image.id;
    row.created = image.created;
    row.size = image.size;
    std::map<std::string_view, std::string_view> digests;  // of each repository
    for (const std::string_view one : image.repo_digests) {
      const std::size_t at = one.rfind('@');
      if (at != one.npos) digests.emplace(one.substr(0, at), one.substr(at + 1));
    }
    for (const auto& name : image.repo_tags) {
      const std::size_t colon = name.rfind(':');
      row.repository = name.substr(0, colon);
      row.tag = colon == name.npos ? std::string() : name.substr(colon + 1);
      const auto digest = digests.find(row.repository);
      row.digest = digest == digests.end() ? std::string() : std::string(digest->second);
      rows.push_back(row);
    }
    if (!image.repo_tags.empty()) continue;
    row.repository.clear();
    row.tag.clear();
    row.digest.clear();
    for (const auto& [repository, digest] : digests) {
      row.repository = repository;
      row.digest = digest;
      rows.push_back(row);
      // Without the column it would be the same line again.
      if (!view.digests) break;
    }
    if (digests.empty()) rows.push_back(row);
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), &image_row::created);
  return rows;
}

void keep_named(std::vector<image_row>& rows, std::string_view name) {
  // What a pattern means is for the engine to say; so is a digest.
  if (name.find_first_of("*?[@") != name.npos) return;
  const std::size_t colon = name.rfind(':');
  const bool tagged = colon != name.npos && name.find('/', colon) == name.npos;
  const std::string_view tag = tagged ? name.substr(colon + 1) : std::string_view();
  const std::string_view repository = name.substr(0, tagged ? colon : name.npos);
  std::erase_if(rows, [&](const image_row& row) {
    const bool same = row.repository == repository || row.repository.ends_with("/" + std::string(repository));
    return !same || (tagged && row.tag != tag);
  });
}

std::string image_table(const std::vector<image_row>& rows, const image_view& view, std::int64_t now) {
  std::vector<std::vector<std::string>> cells;
  cells.push_back({"REPOSITORY", "TAG"});
  if (view.digests) cells.back().emplace_back("DIGEST");
  for (const auto* title : {"IMAGE ID", "CREATED", "SIZE"}) cells.back().emplace_back(title);
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    line.push_back(known(row.repository));
    line.push_back(known(row.tag));
    if (view.digests) line.push_back(known(row.digest));
    line.push_back(shown_id(row, view));
    line.push_back(human_age(row.created, now));
    line.push_back(human_size(row.size));
  }
  return table_text(cells);
}

std::string image_json(const std::vector<image_row>& rows) {
  std::string text;
  image_view whole;
  whole.whole_ids = true;
  for (const auto& row : rows) {
    json_object line;
    line.add("id", shown_id(row, whole)).add_known("repository", row.repository).add_known("tag", row.tag);
    line.add_known("digest", row.digest).add("created", row.created).add("size", row.size);
    text += line.line();
  }
  return text;
}

std::string image_ids(const std::vector<image_row>& rows, const image_view& view) {
  std::string text;
  for (const auto& row : rows) text += shown_id(row, view) + "\n";
  return text;
}

}  // namespace dockline::tool
