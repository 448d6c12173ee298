#include "dockline/engine/dockerfile_images.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "core/ascii.hpp"
#include "engine/dockerfile_lines.hpp"
#include "engine/dockerfile_words.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <unordered_set>

namespace dockline::engine {
namespace {

// What the builder sets by itself. Only whether there is something, and that it may stand in a name, counts:
// no registry depends on it.
dockerfile_variables platform_variables(const std::string& platform) {
  const std::string whole = platform.empty() ? "linux/amd64" : platform;
  const std::size_t slash = std::min(whole.find('/'), whole.size());
  const std::string os = whole.substr(0, slash);
  const std::string rest = slash == whole.size() ? std::string() : whole.substr(slash + 1);
  const std::size_t second = std::min(rest.find('/'), rest.size());
  const std::string arch = rest.substr(0, second);
  const std::string variant = second == rest.size() ? std::string() : rest.substr(second + 1);
  dockerfile_variables known;
  for (const std::string side : {"BUILD", "TARGET"}) {
    known[side + "PLATFORM"] = whole;
    known[side + "OS"] = os;
    known[side + "ARCH"] = arch;
    known[side + "VARIANT"] = variant;
  }
  return known;
}

class image_finder {
 public:
  image_finder(const dockerfile_lines& lines, const build_options& options)
      : lines_(lines), options_(options), variables_(platform_variables(options.platform)) {}

  std::vector<std::string> run() {
    for (const auto& one : lines_.instructions) {
      if (one.name == "FROM") {
        if (at_target_) break;
        from(one.rest);
      } else if (one.name == "ARG" && stages_ == 0) {
        arg(one.rest);
      } else if (one.name == "COPY" || one.name == "RUN") {
        flags(one.rest);
      }
    }
    return std::move(images_);
  }

 private:
  void add(std::string image) {
    if (image.empty() || lower_case(image) == "scratch") return;
    if (seen_.insert(image).second) images_.push_back(std::move(image));
  }

  bool is_stage(const std::string& name) const { return names_.contains(lower_case(name)); }

  void from(std::string_view rest) {
    const auto words = dockerfile_words(rest, lines_.escape);
    auto word = std::ranges::find_if(words, [](std::string_view w) { return !w.starts_with("--"); });
    if (word == words.end()) return;
    std::string image = expand_word(*word, lines_.escape, variables_);
    if (!is_stage(image)) add(std::move(image));
    const std::string number = std::to_string(stages_++);
    at_target_ = number == options_.target;
    if (++word == words.end() || lower_case(*word) != "as" || ++word == words.end()) return;
    at_target_ = at_target_ || lower_case(*word) == lower_case(options_.target);
    names_.insert(lower_case(*word));
  }

  // Before the first FROM: what a FROM may use.
  void arg(std::string_view rest) {
    for (const auto word : dockerfile_words(rest, lines_.escape)) {
      const std::size_t equals = word.find('=');
      const std::string name(word.substr(0, equals));
      const auto given = options_.build_args.find(name);
      if (given != options_.build_args.end() && given->second) {
        variables_.insert_or_assign(name, *given->second);
      } else if (equals != word.npos) {
        variables_.insert_or_assign(name, expand_word(word.substr(equals + 1), lines_.escape, variables_));
      }
    }
  }

  // COPY --from=IMAGE, RUN --mount=type=bind,from=IMAGE. The flags stand before everything else.
  void flags(std::string_view rest) {
    for (const auto word : dockerfile_words(rest, lines_.escape)) {
      if (!word.starts_with("--")) return;
      if (word.starts_with("--from=")) source(word.substr(7));
      if (!word.starts_with("--mount=")) continue;
      std::string_view fields = word.substr(8);
      while (!fields.empty()) {
        const std::size_t comma = std::min(fields.find(','), fields.size());
        const std::string_view field = fields.substr(0, comma);
        if (field.starts_with("from=")) source(field.substr(5));
        fields.remove_prefix(std::min(comma + 1, fields.size()));
      }
    }
  }

  // No variables here: builders take none.
  void source(std::string_view text) {
    std::string name = expand_word(text, lines_.escape, {});
    int number = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (code == std::errc() && end == name.data() + name.size()) return;
    if (text.find('$') == text.npos && !is_stage(name)) add(std::move(name));
  }

  const dockerfile_lines& lines_;
  const build_options& options_;
  dockerfile_variables variables_;
  std::unordered_set<std::string> names_;  // of the stages
  std::unordered_set<std::string> seen_;
  std::vector<std::string> images_;
  int stages_ = 0;
  bool at_target_ = false;
};

}  // namespace

std::vector<std::string> images_of_dockerfile(std::string_view text, const build_options& options) {
  const dockerfile_lines lines = read_dockerfile(text);
  return image_finder(lines, options).run();
}

std::vector<std::string> registries_of_build(std::string_view dockerfile, const build_options& options) {
  std::set<std::string> registries;
  const auto add = [&](const std::vector<std::string>& images) {
    for (const auto& image : images) {
      diagnostics unused;
      // What is no reference is for the daemon to refuse.
      if (const auto reference = parse_image_ref(image, unused)) registries.insert(reference->domain);
    }
  };
  add(images_of_dockerfile(dockerfile, options));
  add(options.cache_from);
  return {registries.begin(), registries.end()};
}

}  // namespace dockline::engine
