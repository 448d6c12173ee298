#include "buildkit/sent_files.hpp"

#include <iterator>

namespace dockline::buildkit {

std::uint32_t sent_files::add(std::string_view path, bool directory) {
  while (!open_.empty() && !path.starts_with(open_.back().path)) open_.pop_back();
  const auto id = static_cast<std::uint32_t>(files_.size());
  file& added = files_.emplace_back();
  if (!open_.empty()) added.parent = open_.back().id;
  const std::string_view name = path.substr(open_.empty() ? 0 : open_.back().path.size());
  added.name = names_.size();
  added.length = name.size();
  names_ += name;
  if (directory) open_.push_back({id, std::string(path) + "/"});
  return id;
}

std::string sent_files::path(std::uint32_t id) const {
  std::vector<std::uint32_t> way;
  for (; id != none; id = files_[id].parent) way.push_back(id);
  std::string path;
  for (auto step = way.rbegin(); step != way.rend(); ++step) {
    if (!path.empty()) path += '/';
    path += name(*step);
  }
  return path;
}

}  // namespace dockline::buildkit
