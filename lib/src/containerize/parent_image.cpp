#include "containerize/parent_image.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace dockline::containerize {
namespace {

constexpr std::string_view repository = "tensorflow/tensorflow:";

bool stands_in_tags(char c) { return c == '.' || c == '-' || c == '_'; }

int take_number(std::string_view& text) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return code == std::errc() ? number : -1;
}

// "2.15.0-rc1" and "2.15.0.rc.1" are "2.15.0rc1", as the tags have it (and PEP 440 normalises it). What
// follows a '+' is the packager's own.
std::string tag_of(std::string_view version) {
  version = version.substr(0, version.find('+'));
  std::size_t end = 0;
  while (end < version.size() && (is_digit(version[end]) || version[end] == '.')) ++end;
  std::string release(version.substr(0, end));
  std::string_view rest = version.substr(end);
  while (release.ends_with('.')) {
    release.pop_back();
    if (rest.empty()) return release;
    rest = version.substr(release.size());
  }
  std::string_view mark = rest;
  while (!mark.empty() && stands_in_tags(mark.front())) mark.remove_prefix(1);
  if (!mark.starts_with("rc")) return release + std::string(rest);
  mark.remove_prefix(2);
  while (!mark.empty() && stands_in_tags(mark.front())) mark.remove_prefix(1);
  return release + "rc" + std::string(mark);
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() < 100 && is_digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || is_letter(c) || stands_in_tags(c); });
}

// Up to 2.1 the tags without "-py3" are those of Python 2.
bool has_python_tags(std::string_view version) {
  const int major = take_number(version);
  if (!version.starts_with('.')) return major >= 0 && major < 2;
  version.remove_prefix(1);
  const int minor = take_number(version);
  return major < 2 || (major == 2 && minor <= 1);
}

std::string with_accelerator(std::string tag, accelerator kind) {
  return kind == accelerator::gpu ? tag + "-gpu" : tag;
}

}  // namespace

std::string tensorflow_image(const tensorflow_version& found, accelerator kind) {
  if (found.distribution.starts_with("tf-nightly"))
    return std::string(repository) + with_accelerator("nightly", kind);
  std::string tag = tag_of(found.version);
  if (!is_tag(tag)) return {};
  const bool python_tags = has_python_tags(tag);
  tag = with_accelerator(std::move(tag), kind);
  if (python_tags && found.python_major >= 3) tag += "-py3";
  return std::string(repository) + tag;
}

std::string latest_tensorflow_image(accelerator kind) {
  return std::string(repository) + with_accelerator("latest", kind);
}

}  // namespace dockline::containerize
