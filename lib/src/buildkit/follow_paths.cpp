#include "buildkit/follow_paths.hpp"

#include "archive/clean_path.hpp"
#include "archive/ignore_pattern.hpp"
#include "archive/regexp.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace dockline::buildkit {
namespace {

using archive::clean_path;

// A tree whose links lead to links has fewer; a wildcard in a huge directory may have many.
constexpr std::size_t most_paths = 100'000;

bool is_absent(error_code code) {
  return code == boost::system::errc::no_such_file_or_directory ||
         code == boost::system::errc::not_a_directory ||
         code == boost::system::errc::too_many_symbolic_link_levels;
}

bool has_wildcards(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\')
      ++i;
    else if (name[i] == '*' || name[i] == '?' || name[i] == '[')
      return true;
  }
  return false;
}

// A path as seen from the root, whatever ".." it has: "." for the root.
std::string below_root(std::string_view path) {
  std::string clean = clean_path("/" + std::string(path));
  clean.erase(0, 1);
  return clean.empty() ? "." : clean;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder == "." ? name : folder + "/" + name;
}

class follower {
 public:
  follower(const archive::disk& files, const std::string& root, diagnostics& why)
      : files_(files), root_(root), why_(why) {}

  result<std::vector<std::string>> run(std::span<const std::string> paths) {
    for (const std::string& path : paths) waiting_.push_back(below_root(path));
    for (std::size_t steps = 0; !waiting_.empty(); ++steps) {
      if (steps == most_paths) {
        why_.set_client_message("the symbolic links of the context lead to more paths than can be followed");
        return make_error_code(errc::invalid_argument);
      }
      const std::string path = std::move(waiting_.back());
      waiting_.pop_back();
      if (const error_code code = follow(path)) return code;
    }
    std::vector<std::string> shortest;
    for (const std::string& path : resolved_) {
      if (path == ".") return std::vector<std::string>();
      if (!shortest.empty() && path.starts_with(shortest.back() + "/")) continue;
      shortest.push_back(path);
    }
    return shortest;
  }

 private:
  // Name by name to the first link, or to the end.
  error_code follow(const std::string& path) {
    std::string current = ".";
    for (std::size_t at = 0;;) {
      const std::size_t slash = std::min(path.find('/', at), path.size());
      const std::string name = path.substr(at, slash - at);
      const std::string above = current;
      current = joined(current, name);
      const std::string rest = slash == path.size() ? std::string() : path.substr(slash + 1);
      auto targets = links_at(above, name);
      if (!targets) return targets.error();
      if (!targets->empty()) {
        if (!resolved_.insert(current).second) return {};
        for (const std::string& target : *targets)
          waiting_.push_back(below_root(rest.empty() ? target : target + "/" + rest));
        return {};
      }
      if (rest.empty()) {
        resolved_.insert(current);
        return {};
      }
      at = slash + 1;
    }
  }

  // Where the link of that name leads, or those links that match it; empty when there is none.
  result<std::vector<std::string>> links_at(const std::string& folder, const std::string& name) {
    std::vector<std::string> targets;
    if (name == ".") return targets;
    auto opened = open(folder);
    if (!opened) {
      if (is_absent(opened.error())) return targets;
      return refuse(folder, opened.error());
    }
    archive::disk_directory& in = **opened;
    if (!has_wildcards(name)) {
      if (const error_code code = add_link(in, folder, name, targets)) return code;
      return targets;
    }
    std::string reason;
    auto pattern = archive::ignore_pattern::compile(name, reason);
    if (!pattern) return targets;
    std::optional<archive::regexp_matcher> matcher;
    if (pattern->expression() != nullptr) matcher.emplace(*pattern->expression());
    archive::directory_names names;
    if (const error_code code = in.list(names, nullptr)) return refuse(folder, code);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string candidate(names.name(i));
      if (matcher ? !matcher->matches(candidate) : !pattern->matches_plainly(candidate)) continue;
      if (const error_code code = add_link(in, folder, candidate, targets)) return code;
    }
    return targets;
  }

  error_code add_link(archive::disk_directory& in, const std::string& folder, const std::string& name,
                      std::vector<std::string>& targets) {
    auto looked = in.look(name);
    if (!looked)
      return is_absent(looked.error()) ? error_code() : refuse(joined(folder, name), looked.error());
    if (looked->kind != archive::file_kind::symlink) return {};
    auto link = in.read_link(name);
    if (!link) return is_absent(link.error()) ? error_code() : refuse(joined(folder, name), link.error());
    targets.push_back(link->starts_with('/') ? *link : folder + "/" + *link);
    return {};
  }

  // No link is followed on the way, so that nothing outside the root is looked at.
  result<std::unique_ptr<archive::disk_directory>> open(const std::string& folder) {
    auto opened = files_.open_root(root_);
    if (!opened || folder == ".") return opened;
    for (std::size_t at = 0; at < folder.size();) {
      const std::size_t slash = std::min(folder.find('/', at), folder.size());
      const std::string name = folder.substr(at, slash - at);
      auto below = (*opened)->open_directory(name);
      if (!below) return below.error();
      opened = std::move(*below);
      at = slash + 1;
    }
    return opened;
  }

  error_code refuse(const std::string& path, error_code code) {
    why_.set_client_message(path + ": " + code.message());
    return errc::unreadable_file;
  }

  const archive::disk& files_;
  const std::string& root_;
  diagnostics& why_;
  std::vector<std::string> waiting_;
  std::set<std::string> resolved_;
};

}  // namespace

result<std::vector<std::string>> follow_paths(const archive::disk& files, const std::string& root,
                                              std::span<const std::string> paths, diagnostics& why) {
  return follower(files, root, why).run(paths);
}

}  // namespace dockline::buildkit
