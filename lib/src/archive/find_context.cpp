#include "archive/clean_path.hpp"
#include "archive/context_state.hpp"
#include "core/encoding.hpp"
#include "core/last_error.hpp"
#include "core/sha256.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::archive {
namespace {

// A Dockerfile or an ignore file above this is a mistake (a device, a disk image), not an instruction.
constexpr std::size_t text_limit = 16 * 1024 * 1024;

constexpr const char* ignore_name = ".dockerignore";

bool is_absent(error_code code) {
  return code == boost::system::errc::no_such_file_or_directory ||
         code == boost::system::errc::not_a_directory;
}

error_code refuse(diagnostics& why, errc code, std::string text) {
  why.set_client_message(std::move(text));
  return code;
}

// What is wrong with a path; no memory is not.
error_code fault_of_path() {
  if (errno == ENOMEM) throw std::bad_alloc();
  return last_error();
}

// Without symbolic links; fails where something on the way is missing.
result<std::string> resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return fault_of_path();
  return std::string(real.get());
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder == "/" ? folder + name : folder + "/" + name;
}

// The path below `root`, when it lies there.
std::optional<std::string> relative_to(const std::string& root, const std::string& path) {
  const std::string start = joined(root, "");
  if (!path.starts_with(start) || path.size() == start.size()) return std::nullopt;
  return path.substr(start.size());
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

result<std::string> read_text(const std::string& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "re"), close);
  if (!file) return fault_of_path();
  std::string text;
  std::array<char, 16384> block;
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), file.get())) {
    text.append(block.data(), count);
    if (text.size() > text_limit) return make_error_code(boost::system::errc::file_too_large);
  }
  if (std::ferror(file.get())) return fault_of_path();
  return text;
}

// A Dockerfile may come out of a pipe; an ignore file is one by mistake, and would be waited for without end.
result<std::string> read_ignore_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode))
    return make_error_code(boost::system::errc::operation_not_supported);
  return read_text(path);
}

// 20 hexadecimal digits, of the content: the name gets into the ignore file, and with a new one in each build
// the daemon would never find what it built of this context before.
std::string made_up_name(const std::string& text) {
  return ".dockerfile." + encode_hex(sha256(text).substr(0, 10));
}

class finder {
 public:
  finder(const context_options& options, diagnostics& why) : options_(options), why_(why) {}

  result<std::shared_ptr<context_tree>> run() {
    if (const error_code code = add_extra_files()) return code;
    if (options_.dockerfile.where() == dockerfile_source::kind::alone) return alone();
    if (const error_code code = find_root()) return code;
    if (const error_code code = find_dockerfile()) return code;
    if (const error_code code = check_dockerfile_name()) return code;
    if (const error_code code = find_ignore_file()) return code;
    if (!inside_) {
      if (const error_code code = lay_over()) return code;
    }
    if (const error_code code = spare_extra_files()) return code;
    return tree_;
  }

 private:
  error_code add_extra_files() {
    for (const extra_file& file : options_.extra_files) {
      const std::string& name = file.name;
      const bool taken = std::ranges::any_of(tree_->plan.overlay,
                                             [&](const overlay_file& other) { return other.name == name; });
      if (name.empty() || name == "." || name == ".." || name == ignore_name || taken ||
          name.find('/') != name.npos || name.find('\0') != name.npos) {
        return refuse(why_, errc::invalid_argument,
                      "extra file \"" + name + "\": its name is that of one file in the context's directory");
      }
      overlay_file& added = tree_->plan.overlay.emplace_back();
      added.name = name;
      added.text = file.text;
      added.mode = file.mode & 07777;
      tree_->plan.always.push_back(name);
    }
    return {};
  }

  // Else some builders would read the one, and some the other.
  error_code check_dockerfile_name() {
    const std::string& name = tree_->dockerfile_name;
    if (!std::ranges::any_of(options_.extra_files, [&](const extra_file& file) { return file.name == name; }))
      return {};
    return refuse(why_, errc::invalid_argument, "extra file \"" + name + "\": the Dockerfile has that name");
  }

  // No directory, and so no ignore file either.
  result<std::shared_ptr<context_tree>> alone() {
    tree_->plan.on_disk = false;
    tree_->dockerfile_name = "Dockerfile";
    tree_->dockerfile_text = options_.dockerfile.value();
    if (const error_code code = check_dockerfile_name()) return code;
    add_of_builder(tree_->dockerfile_name, tree_->dockerfile_text);
    tree_->plan.always.push_back(tree_->dockerfile_name);
    return tree_;
  }

  // Of a working directory that was removed nothing can be told; the root of the file system it is not.
  result<std::string> absolute(const std::string& path) {
    const std::string& start = options_.working_directory;
    if (path.starts_with('/')) return clean_path(path);
    if (!start.empty()) return clean_path(start + "/" + path);
    return refuse(why_, errc::no_such_directory, path + ": the working directory is not there any more");
  }

  error_code find_root() {
    const auto path = absolute(options_.directory);
    if (!path) return path.error();
    auto root = resolved(*path);
    if (!root) {
      const errc kind = is_absent(root.error()) ? errc::no_such_directory : errc::unreadable_file;
      return refuse(why_, kind, *path + ": " + root.error().message());
    }
    struct stat status {};
    if (::stat(root->c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return refuse(why_, errc::no_such_directory, *path + ": not a directory");
    tree_->plan.root = std::move(*root);
    return {};
  }

  error_code find_dockerfile() {
    const dockerfile_source& source = options_.dockerfile;
    const std::string& root = tree_->plan.root;
    switch (source.where()) {
      case dockerfile_source::kind::alone:
      case dockerfile_source::kind::text:
        inside_ = false;
        tree_->dockerfile_text = source.value();
        return {};
      case dockerfile_source::kind::path: {
        const auto path = absolute(source.value());
        if (!path) return path.error();
        given_ = *path;
        break;
      }
      case dockerfile_source::kind::in_context: {
        given_ = joined(root, "Dockerfile");
        const std::string other = joined(root, "dockerfile");
        struct stat status {};
        if (::lstat(given_.c_str(), &status) != 0 && ::lstat(other.c_str(), &status) == 0) given_ = other;
        break;
      }
    }

    struct stat status {};
    if (::stat(given_.c_str(), &status) != 0) {
      const error_code code = last_error();
      return refuse(why_, is_absent(code) ? errc::no_dockerfile : errc::unreadable_file,
                    given_ + ": " + code.message());
    }
    if (S_ISDIR(status.st_mode)) return refuse(why_, errc::no_dockerfile, given_ + ": is a directory");
    // A pipe (-f <(…)) has no path of its own, and can be read once only: its text is kept.
    const auto real = resolved(given_);
    const auto name = real ? relative_to(root, *real) : std::nullopt;
    inside_ = name && S_ISREG(status.st_mode);
    auto text = read_text(given_);
    if (!text) return refuse(why_, errc::unreadable_file, given_ + ": " + text.error().message());
    tree_->dockerfile_text = std::move(*text);
    if (inside_) {
      tree_->dockerfile_name = *name;
      tree_->plan.always.push_back(*name);
      real_ = *real;
    }
    return {};
  }

  // The Dockerfile's own, beside it, before the context's.
  error_code find_ignore_file() {
    std::vector<std::string> candidates;
    if (!given_.empty()) candidates.push_back(given_ + ignore_name);
    if (!real_.empty() && real_ != given_) candidates.push_back(real_ + ignore_name);
    candidates.push_back(joined(tree_->plan.root, ignore_name));
    for (const std::string& candidate : candidates) {
      auto text = read_ignore_file(candidate);
      if (!text) {
        // The name of a Dockerfile may leave no room for what is added to it.
        if (is_absent(text.error()) || text.error() == boost::system::errc::filename_too_long) continue;
        return refuse(why_, errc::unreadable_file, candidate + ": " + text.error().message());
      }
      const auto folder = resolved(parent_of(candidate));
      const auto name =
          folder ? relative_to(tree_->plan.root, joined(*folder, name_of(candidate))) : std::nullopt;
      tree_->plan.ignore_file = name.value_or(candidate);
      if (name) tree_->plan.always.push_back(*name);
      auto rules = ignore_rules::parse(*text, tree_->plan.ignore_file, why_);
      if (!rules) return rules.error();
      tree_->plan.rules = std::move(*rules);
      return {};
    }
    return {};
  }

  // A Dockerfile from elsewhere joins the tree under a made-up name, and the context's ignore file tells the
  // daemon to forget it once it was read.
  error_code lay_over() {
    tree_plan& plan = tree_->plan;
    const std::string name = made_up_name(tree_->dockerfile_text);
    const std::string path = joined(plan.root, ignore_name);
    auto own = read_ignore_file(path);
    if (!own && !is_absent(own.error()))
      return refuse(why_, errc::unreadable_file, path + ": " + own.error().message());
    tree_->dockerfile_name = name;
    add_of_builder(name, tree_->dockerfile_text);
    add_of_builder(ignore_name, (own ? *own : std::string(ignore_name)) + "\n" + name + "\n");
    plan.always.push_back(name);
    if (std::find(plan.always.begin(), plan.always.end(), ignore_name) == plan.always.end())
      plan.always.emplace_back(ignore_name);
    return {};
  }

  // podman reads the ignore file of the tar as well, and would not see what is sent in spite of it.
  error_code spare_extra_files() {
    tree_plan& plan = tree_->plan;
    std::string name = inside_ ? plan.ignore_file : ignore_name;
    if (options_.extra_files.empty() || name.empty() || name.find('/') != name.npos) return {};
    const auto laid =
        std::ranges::find_if(plan.overlay, [&](const overlay_file& file) { return file.name == name; });
    auto text =
        laid != plan.overlay.end() ? result<std::string>(laid->text) : read_text(joined(plan.root, name));
    if (!text)
      return refuse(why_, errc::unreadable_file, joined(plan.root, name) + ": " + text.error().message());
    auto rules = ignore_rules::parse(*text, name, why_);
    if (!rules) return rules.error();
    ignore_matcher matcher(*rules);
    std::string exceptions;
    for (const extra_file& file : options_.extra_files)
      if (matcher.ignored_by(file.name, {}, nullptr)) exceptions += exception_for(file.name);
    if (exceptions.empty()) return {};
    *text += "\n" + exceptions;
    if (laid != plan.overlay.end())
      laid->text = std::move(*text);
    else
      add_of_builder(std::move(name), std::move(*text));
    return {};
  }

  void add_of_builder(std::string name, std::string text) {
    overlay_file file;
    file.name = std::move(name);
    file.text = std::move(text);
    file.of_builder = true;
    tree_->plan.overlay.push_back(std::move(file));
  }

  const context_options& options_;
  diagnostics& why_;
  std::shared_ptr<context_tree> tree_ = std::make_shared<context_tree>();
  bool inside_ = true;  // the Dockerfile is a file of the context
  std::string given_;   // its path as it was asked for
  std::string real_;    // and without symbolic links, when it is inside
};

}  // namespace

result<std::shared_ptr<context_tree>> find_context(const context_options& options, const disk& files,
                                                   diagnostics& why) {
  if (options.compress == compression::gzip &&
      (options.compression_level < 1 || options.compression_level > 9)) {
    return refuse(why, errc::invalid_argument, "the compression level must be between 1 and 9");
  }
  auto found = finder(options, why).run();
  if (!found) return found;
  context_tree& tree = **found;
  tree.files = &files;
  tree.plan.mode = options.mode;
  tree.plan.opened_at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  tree.rules.keep_ownership = options.keep_ownership;
  if (options.reproducible) tree.rules.fixed_time = options.source_date_epoch.value_or(0);
  tree.compress = options.compress;
  tree.compression_level = options.compression_level;
  return found;
}

}  // namespace dockline::archive
