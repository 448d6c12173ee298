#include "buildkit/dockerfile_excerpt.hpp"

#include "buildkit/trace.hpp"
#include "engine/dockerfile_lines.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace dockline::buildkit {
namespace {

// Lines shown before and after.
constexpr int around = 2;
// Of a line; a Dockerfile may hold a certificate in one.
constexpr std::size_t longest_line = 400;

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return copy;
}

// What has a place of its own in a stage, besides FROM. The others are settings of the image.
bool makes_step(std::string_view name) {
  return name == "RUN" || name == "COPY" || name == "ADD" || name == "WORKDIR";
}

// BuildKit counts what a stage's base brings before the stage's own steps: nothing for scratch and for another stage;
// for an image FROM itself, and then what that image has left to be done (ONBUILD).
struct stage_steps {
  explicit stage_steps(const engine::dockerfile_instruction& head) : from(&head) {}

  const engine::dockerfile_instruction* from;
  std::vector<const engine::dockerfile_instruction*> own;
  bool right = false;  // it may be the stage that is meant

  const engine::dockerfile_instruction* at(const step_place& place) const {
    const int of_base = place.total - static_cast<int>(own.size());
    if (place.index > place.total || of_base < 0) return nullptr;
    if (place.index > of_base) return own[static_cast<std::size_t>(place.index - of_base - 1)];
    return place.index == 1 ? from : nullptr;
  }
};

struct stage_head {
  std::string_view image;
  std::string name;  // in lower case
};

stage_head head_of(const engine::dockerfile_instruction& from, char escape) {
  auto words = engine::dockerfile_words(from.rest, escape);
  std::erase_if(words, [](std::string_view word) { return word.starts_with("--"); });
  stage_head head;
  if (!words.empty()) head.image = words[0];
  if (words.size() >= 3 && lower(words[1]) == "as") head.name = lower(words[2]);
  return head;
}

// "docker.io/library/debian:12" for "debian:12".
bool same_image(std::string_view whole, std::string_view written) {
  if (whole == written) return true;
  if (!whole.ends_with(written) && !whole.ends_with(std::string(written) + ":latest")) return false;
  return whole.starts_with("docker.io/");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<line_range> lines_of_step(std::string_view dockerfile, std::string_view title) {
  const auto read = engine::read_dockerfile(dockerfile);
  const step_place place = read_step_title(title);
  constexpr std::string_view metadata = "load metadata for ";
  if (place.stage == "internal" && place.instruction.starts_with(metadata)) {
    for (const auto& one : read.instructions)
      if (one.name == "FROM" && same_image(std::string_view(place.instruction).substr(metadata.size()),
                                           head_of(one, read.escape).image))
        return line_range(one.first_line, one.last_line);
    return std::nullopt;
  }
  if (place.index == 0) return std::nullopt;
  // Of several platforms, the first word is the one that is built.
  const std::string wanted = lower(std::string_view(place.stage).substr(place.stage.rfind(' ') + 1));
  const std::string name = place.instruction.substr(0, place.instruction.find(' '));
  std::vector<stage_steps> stages;
  for (const auto& one : read.instructions) {
    if (one.name == "FROM") {
      const std::string number = std::to_string(stages.size());
      stages.emplace_back(one).right = wanted.empty() || wanted == head_of(one, read.escape).name ||
                                       wanted == "stage-" + number || wanted.find('/') != std::string::npos;
    } else if (makes_step(one.name) && !stages.empty()) {
      stages.back().own.push_back(&one);
    }
  }
  for (const stage_steps& stage : stages) {
    const auto* found = stage.right ? stage.at(place) : nullptr;
    if (found != nullptr && found->name == name) return line_range(found->first_line, found->last_line);
  }
  return std::nullopt;
}

std::optional<line_range> lines_of_error(std::string_view dockerfile, std::string_view words) {
  constexpr std::string_view parser = "dockerfile parse error ";
  std::size_t at = words.find(parser);
  if (at == std::string_view::npos) return std::nullopt;
  words.remove_prefix(at + parser.size());
  for (const std::string_view marker : {std::string_view("on line "), std::string_view("line ")}) {
    if (!words.starts_with(marker)) continue;
    words.remove_prefix(marker.size());
    int line = 0;
    const auto [end, failure] = std::from_chars(words.data(), words.data() + words.size(), line);
    if (failure != std::errc() || line < 1 || line > static_cast<int>(lines_of(dockerfile).size()))
      return std::nullopt;
    return line_range(line, line);
  }
  return std::nullopt;
}

std::string excerpt_of(std::string_view dockerfile, std::string_view name, line_range marked) {
  const auto lines = lines_of(dockerfile);
  const int first = std::max(1, marked.first - around);
  const int last = std::min(static_cast<int>(lines.size()), marked.last + around);
  std::string text = std::string(name) + ':' + std::to_string(marked.first) + '\n';
  const std::string rule = "--------------------\n";
  text += rule;
  for (int line = first; line <= last; ++line) {
    std::string number = std::to_string(line);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
    text += number + " | " + (line >= marked.first && line <= marked.last ? ">>> " : "    ");
    text += lines[static_cast<std::size_t>(line - 1)].substr(0, longest_line);
    text += '\n';
  }
  return text + rule;
}

}  // namespace dockline::buildkit
