#include "containerize/source_plan.hpp"

#include "archive/ignore_rules.hpp"
#include "containerize/dockerfile.hpp"
#include "containerize/notebook.hpp"
#include "containerize/refusal.hpp"
#include "core/small_file.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace dockline::containerize {
namespace {

namespace fs = std::filesystem;

// Above this a file is no notebook and no list of requirements.
constexpr std::size_t largest_text = 64 * mebibyte;

constexpr const char* ignore_name = ".dockerignore";

// The path below `root`, when it lies there.
std::optional<std::string> below(const std::string& root, const std::string& path) {
  const std::string start = root.ends_with('/') ? root : root + "/";
  if (!path.starts_with(start) || path.size() == start.size()) return std::nullopt;
  return path.substr(start.size());
}

class finder {
 public:
  finder(const containerize_options& options, diagnostics& why) : options_(options), why_(why) {}

  result<source_plan> run() {
    if (auto done = find_entry_point(); !done) return done.error();
    if (options_.entry_point.ends_with(".ipynb")) {
      if (auto done = make_script(); !done) return done.error();
    }
    if (auto done = find_requirements(); !done) return done.error();
    if (auto done = check_ignored(); !done) return done.error();
    return std::move(plan_);
  }

 private:
  std::string absolute(const std::string& path) const {
    return path.starts_with('/') ? path : options_.working_directory + "/" + path;
  }

  // The file itself, without symbolic links.
  result<std::string> find_file(std::string_view field, const std::string& value) {
    std::error_code failed;
    const fs::path path = absolute(value);
    const fs::file_status status = fs::status(path, failed);
    if (status.type() == fs::file_type::not_found) return refuse(field, value, "is not there", why_);
    if (failed) return refuse(field, value, failed.message(), why_);
    if (fs::is_directory(status)) return refuse(field, value, "is a directory, not a file", why_);
    if (!fs::is_regular_file(status)) return refuse(field, value, "is not a regular file", why_);
    const fs::path real = fs::canonical(path, failed);
    if (failed) return refuse(field, value, failed.message(), why_);
    return real.string();
  }

  result<void> find_entry_point() {
    const std::string& value = options_.entry_point;
    auto real = find_file("entry_point", value);
    if (!real) return real.error();
    std::error_code failed;
    const std::string tree = fs::canonical(options_.working_directory, failed).string();
    if (failed) return refuse("working_directory", options_.working_directory, failed.message(), why_);
    const fs::path path = absolute(value);
    const std::string directory = fs::canonical(path.parent_path(), failed).string();
    if (failed) return refuse("entry_point", value, failed.message(), why_);
    if (directory != tree && !below(tree, directory)) {
      return refuse("entry_point", value, "lies outside the tree of the working directory, \"" + tree + "\"",
                    why_);
    }
    const auto inside = below(directory, *real);
    if (!inside) {
      return refuse("entry_point", value,
                    "is a symbolic link out of its directory, which is all that is copied into the image",
                    why_);
    }
    // A notebook's script is no link.
    if (fs::is_symlink(path) && !value.ends_with(".ipynb")) {
      if (fs::read_symlink(path, failed).is_absolute())
        return refuse("entry_point", value, "is an absolute symbolic link, which leads nowhere in the image",
                      why_);
      behind_link_ = *inside;
    }
    plan_.directory = directory;
    plan_.entry_point = path.filename().string();
    return result<void>();
  }

  result<std::string> read_text(std::string_view field, const std::string& value, const std::string& path) {
    std::error_code failed;
    if (fs::file_size(path, failed) > largest_text && !failed)
      return refuse(field, value, "is larger than 64 MiB", why_);
    auto text = read_small_file(path, why_, largest_text);
    if (!text || !*text) return refuse(field, value, "cannot be read", why_);
    return std::move(**text);
  }

  result<void> make_script() {
    const std::string& value = options_.entry_point;
    auto text = read_text("entry_point", value, absolute(value));
    if (!text) return text.error();
    auto script = script_of_notebook(*text, value, why_);
    if (!script) return script.error();
    plan_.warnings = std::move(script->warnings);
    archive::extra_file file;
    file.name = free_name(plan_.entry_point.substr(0, plan_.entry_point.rfind('.')), ".py");
    file.text = std::move(script->text);
    plan_.entry_point = file.name;
    plan_.extra_files.push_back(std::move(file));
    return result<void>();
  }

  result<void> find_requirements() {
    const std::string& value = options_.requirements;
    if (value.empty()) return result<void>();
    auto real = find_file("requirements", value);
    if (!real) return real.error();
    auto text = read_text("requirements", value, *real);
    if (!text) return text.error();
    // As it was named, when the file itself lies in the context, too: a link is copied as a link.
    std::error_code failed;
    const fs::path path = absolute(value);
    const std::string folder = fs::canonical(path.parent_path(), failed).string();
    const auto named =
        failed ? std::nullopt : below(plan_.directory, folder + "/" + path.filename().string());
    if (named && *real == plan_.directory + "/" + *named && !is_pattern(*named)) {
      plan_.requirements = *named;
      return result<void>();
    }
    const std::string name =
        is_pattern(path.filename().string()) ? "requirements.txt" : path.filename().string();
    const std::size_t dot = name.rfind('.');
    const bool suffixed = dot != name.npos && dot != 0;
    archive::extra_file file;
    file.name = free_name(name.substr(0, suffixed ? dot : name.npos), suffixed ? name.substr(dot) : "");
    file.text = std::move(*text);
    plan_.requirements = file.name;
    plan_.extra_files.push_back(std::move(file));
    return result<void>();
  }

  // A name that nothing in the directory has: what is there must reach the image as it is.
  std::string free_name(const std::string& stem, const std::string& suffix) const {
    std::string name = stem + suffix;
    for (int number = 2; is_taken(name); ++number) name = stem + "-" + std::to_string(number) + suffix;
    return name;
  }

  bool is_taken(const std::string& name) const {
    if (name == ignore_name) return true;
    for (const archive::extra_file& file : plan_.extra_files) {
      if (file.name == name) return true;
    }
    std::error_code failed;
    return fs::symlink_status(plan_.directory + "/" + name, failed).type() != fs::file_type::not_found;
  }

  // What the image needs and a rule leaves out is found here, rather than by the program that misses it. The
  // extra files are looked at as well: Cloud Build's docker reads the rules once more.
  result<void> check_ignored() {
    const std::string path = plan_.directory + "/" + ignore_name;
    std::error_code failed;
    if (fs::status(path, failed).type() == fs::file_type::not_found) return result<void>();
    diagnostics words;
    const auto text = read_small_file(path, words, largest_text);
    if (!text || !*text) return refuse(ignore_name, path, "cannot be read: " + words.client_message(), why_);
    const auto rules = archive::ignore_rules::parse(**text, ignore_name, why_);
    if (!rules) return rules.error();
    archive::ignore_matcher matcher(*rules);
    for (const auto& [field, name] :
         {std::pair("entry_point", &plan_.entry_point), std::pair("entry_point", &behind_link_),
          std::pair("requirements", &plan_.requirements)}) {
      if (name->empty()) continue;
      const archive::ignore_rule* rule = matcher.ignored_by(*name, {}, nullptr);
      if (rule == nullptr) continue;
      return refuse(
          field, *name,
          "is ignored by line " + std::to_string(rule->line) + " of .dockerignore, \"" + rule->written + "\"",
          why_);
    }
    return result<void>();
  }

  const containerize_options& options_;
  diagnostics& why_;
  source_plan plan_;
  std::string behind_link_;  // what an entry point that is a link leads to, in its directory
};

}  // namespace

result<source_plan> find_sources(const containerize_options& options, diagnostics& why) {
  return finder(options, why).run();
}

}  // namespace dockline::containerize
