#include "containerize/tensorflow_installation.hpp"

#include "containerize/ask_program.hpp"
#include "containerize/python_version.hpp"
#include "core/ascii.hpp"
#include "engine/credential_helper.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <utility>

namespace dockline::containerize {
namespace {

namespace fs = std::filesystem;

// Those that bring TensorFlow itself, the first of them first where several are there: tensorflow-macos and
// the like are what a plain "tensorflow" pulls in.
constexpr std::array<std::string_view, 15> distributions = {
    "tensorflow",         "tensorflow-cpu",   "tensorflow-gpu",   "tensorflow-macos",   "tensorflow-rocm",
    "tensorflow-aarch64", "tensorflow-intel", "intel-tensorflow", "tensorflow-cpu-aws", "nvidia-tensorflow",
    "tf-nightly",         "tf-nightly-cpu",   "tf-nightly-gpu",   "tf-nightly-macos",   "tf-nightly-rocm",
};

// PEP 503: "TensorFlow_CPU" is "tensorflow-cpu".
std::string normalised(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.') {
      if (!plain.ends_with('-')) plain += '-';
    } else {
      plain += to_lower(c);
    }
  }
  return plain;
}

// The 3 and 11 of "python3.11"; empty for another name.
std::optional<std::pair<int, int>> python_of(std::string_view name) {
  if (!name.starts_with("python")) return std::nullopt;
  name.remove_prefix(6);
  std::pair<int, int> version;
  const auto [dot, code] = std::from_chars(name.data(), name.data() + name.size(), version.first);
  if (code != std::errc() || dot == name.data() + name.size() || *dot != '.') return std::nullopt;
  // What follows the minor version is "t" for a Python without its lock.
  if (std::from_chars(dot + 1, name.data() + name.size(), version.second).ec != std::errc())
    return std::nullopt;
  return version;
}

// Of ".../lib/python2.7/site-packages"; 3 where the path does not tell.
int python_major_of(const std::string& folder) {
  for (const fs::path& part : fs::path(folder)) {
    if (const auto version = python_of(part.string())) return version->first;
  }
  return 3;
}

// Texts decide between versions that are equal: whatever order the disk has, the same one is found.
bool is_later(const tensorflow_version& one, const tensorflow_version& other) {
  const auto order = compare_python_versions(one.version, other.version);
  return std::is_gt(order) || (std::is_eq(order) && one.version > other.version);
}

std::optional<tensorflow_version> look_in(const std::string& folder) {
  std::optional<tensorflow_version> best;
  auto best_rank = distributions.end();
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    auto found = read_distribution_name(at->path().filename().string());
    if (!found) continue;
    const auto* const rank = std::ranges::find(distributions, found->distribution);
    // Of two versions, which a broken upgrade leaves behind, the later one.
    if (rank > best_rank || (rank == best_rank && best && !is_later(*found, *best))) continue;
    best_rank = rank;
    best = std::move(found);
  }
  if (best) {
    best->where = folder;
    best->python_major = python_major_of(folder);
  }
  return best;
}

std::optional<tensorflow_version> look_in(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    if (auto found = look_in(folder)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<tensorflow_version> read_distribution_name(std::string_view directory_name) {
  constexpr std::string_view wheel = ".dist-info";
  constexpr std::string_view egg = ".egg-info";
  const bool of_egg = directory_name.ends_with(egg);
  if (!of_egg && !directory_name.ends_with(wheel)) return std::nullopt;
  directory_name.remove_suffix(of_egg ? egg.size() : wheel.size());
  const std::size_t dash = directory_name.find('-');
  if (dash == directory_name.npos) return std::nullopt;
  tensorflow_version found;
  found.distribution = normalised(directory_name.substr(0, dash));
  found.version = directory_name.substr(dash + 1);
  // "-py3.11", and perhaps the platform, follow in an egg's name.
  if (of_egg) found.version.erase(std::min(found.version.find("-py"), found.version.size()));
  if (std::ranges::find(distributions, found.distribution) == distributions.end()) return std::nullopt;
  return found;
}

std::vector<std::string> site_packages_of(const std::string& prefix) {
  std::vector<std::pair<std::pair<int, int>, std::string>> found;
  for (const char* library : {"/lib", "/lib64"}) {
    std::error_code failed;
    for (fs::directory_iterator at(prefix + library, failed), end; !failed && at != end;
         at.increment(failed)) {
      if (const auto version = python_of(at->path().filename().string()))
        found.emplace_back(*version, (at->path() / "site-packages").string());
    }
  }
  std::ranges::stable_sort(found, [](const auto& one, const auto& other) { return one.first > other.first; });
  std::vector<std::string> folders;
  folders.reserve(found.size());
  for (auto& [version, folder] : found) folders.push_back(std::move(folder));
  return folders;
}

python_folders ask_python(const std::string& interpreter, std::chrono::milliseconds limit,
                          const std::atomic<bool>& stopped) {
  std::vector<std::string> arguments(3);
  arguments[0] = interpreter;
  arguments[1] = "-c";
  arguments[2] = "import sys; print(*(path for path in sys.path if path), sep='\\n')";
  const program_answer answer = ask_program(std::move(arguments), limit, stopped);
  python_folders told;
  if (!answer.text) {
    told.failure = interpreter + " " + answer.failure;
    return told;
  }
  std::string_view rest = *answer.text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.starts_with('/')) told.folders.emplace_back(line);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  if (told.folders.empty()) told.failure = interpreter + " named no folder of modules";
  return told;
}

tensorflow_search find_tensorflow(const containerize_environment& environment,
                                  const std::atomic<bool>& stopped) {
  tensorflow_search search;
  for (const std::string& prefix : {environment.virtual_env, environment.conda_prefix}) {
    if (prefix.empty()) continue;
    search.found = look_in(site_packages_of(prefix));
    if (search.found) return search;
  }
  const auto interpreter = engine::find_program(environment.search_path, "python3");
  if (!interpreter) {
    search.failure = "there is no python3 in PATH";
    return search;
  }
  constexpr std::chrono::seconds limit(10);
  python_folders told = ask_python(*interpreter, limit, stopped);
  search.found = look_in(told.folders);
  search.failure = std::move(told.failure);
  return search;
}

}  // namespace dockline::containerize
