#include "commands/context_table.hpp"

#include <dockline/progress/printable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <string_view>
#include <vector>

namespace dockline::tool {
namespace {

// As much as fits a screen; the rest is a number. --format json has all of it.
constexpr std::size_t most_directories = 10;
constexpr std::size_t most_files = 10;
constexpr std::size_t most_paths_a_rule = 5;

struct share {
  std::uint64_t bytes = 0;
  std::size_t files = 0;
};

// What lies in each directory, at any depth; the context's own directory is "".
std::map<std::string_view, share> shares_of(const archive::context_listing& listing) {
  std::map<std::string_view, share> shares;
  for (const auto& entry : listing.entries) {
    if (entry.type == archive::entry_type::directory) continue;
    std::string_view directory = entry.path;
    do {
      const std::size_t slash = directory.rfind('/');
      directory = slash == directory.npos ? std::string_view() : directory.substr(0, slash);
      share& sum = shares[directory];
      sum.bytes += entry.size;
      ++sum.files;
    } while (!directory.empty());
  }
  return shares;
}

std::string count(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

void add_directories(std::string& text, const archive::context_listing& listing) {
  const auto shares = shares_of(listing);
  std::vector<std::pair<std::string_view, share>> sorted(shares.begin(), shares.end());
  std::erase_if(sorted, [](const auto& one) { return one.first.empty(); });
  if (sorted.empty()) return;
  std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& one) { return one.second.bytes; });
  text += "\nLargest directories\n";
  for (const auto& [path, sum] : std::views::take(sorted, most_directories)) {
    text += fmt::format("  {:>9}  {:>14}  {}/\n", size_text(sum.bytes), count(sum.files, "file", "files"),
                        progress::printable(path));
  }
}

void add_files(std::string& text, const archive::context_listing& listing) {
  std::vector<const archive::context_entry*> files;
  for (const auto& entry : listing.entries) {
    if (entry.type == archive::entry_type::file) files.push_back(&entry);
  }
  if (files.empty()) return;
  const std::size_t shown = std::min(files.size(), most_files);
  std::ranges::partial_sort(files, files.begin() + static_cast<std::ptrdiff_t>(shown), [](auto* a, auto* b) {
    return a->size != b->size ? a->size > b->size : a->path < b->path;
  });
  text += "\nLargest files\n";
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("  {:>9}  {}\n", size_text(files[i]->size), progress::printable(files[i]->path));
  }
}

void add_ignored(std::string& text, const archive::context_listing& listing) {
  std::map<std::size_t, std::vector<const archive::ignored_path*>> by_rule;
  for (const auto& one : listing.ignored) by_rule[one.rule].push_back(&one);
  if (by_rule.empty()) return;
  text += "\nIgnored\n";
  for (const auto& [rule, paths] : by_rule) {
    const archive::ignore_origin& origin = listing.rules[rule];
    text += fmt::format("  {}:{}  {}\n", progress::printable(origin.file), origin.line,
                        progress::printable(origin.pattern));
    for (const auto* one : std::views::take(paths, most_paths_a_rule)) {
      text += fmt::format("    {}{}\n", progress::printable(one->path), one->whole_directory ? "/" : "");
    }
    if (paths.size() > most_paths_a_rule) {
      text += fmt::format("    and {} more\n", paths.size() - most_paths_a_rule);
    }
  }
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> units = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // 999.95 would be shown as 1000.0.
  while (size >= 999.95 && unit + 1 < units.size()) {
    size /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string context_table(const archive::build_context& context, const archive::context_listing& listing) {
  std::string text = fmt::format("{}  {} in {}, ignored: {}\n", progress::printable(context.directory()),
                                 size_text(listing.bytes), count(listing.entries.size(), "entry", "entries"),
                                 count(listing.ignored.size(), "path", "paths"));
  text += fmt::format("Dockerfile   {}\n", progress::printable(context.dockerfile_name()));
  text += fmt::format("Ignore file  {}, read as {} does\n",
                      context.ignore_file().empty() ? "none" : progress::printable(context.ignore_file()),
                      context.mode() == archive::ignore_mode::classic ? "the classic builder" : "BuildKit");
  add_directories(text, listing);
  add_files(text, listing);
  add_ignored(text, listing);
  if (!listing.skipped.empty()) text += "\nSkipped\n";
  for (const auto& one : listing.skipped) {
    text += fmt::format("  {}  {}\n", progress::printable(one.path), progress::printable(one.reason));
  }
  if (listing.disputed) {
    text += fmt::format("\nThe classic builder and BuildKit differ on {}\n",
                        progress::printable(*listing.disputed));
  }
  return text;
}

}  // namespace dockline::tool
