#include "build_request.hpp"

#include <filesystem>

namespace sample {

bool stays_below(const std::string& root, const std::string& path) {
  std::error_code failed;
  const auto whole = std::filesystem::weakly_canonical(std::filesystem::path(root) / path, failed);
  const auto top = std::filesystem::canonical(root, failed);
  if (failed) return false;
  const auto below = whole.lexically_relative(top);
  return !below.empty() && *below.begin() != "..";
}

dockline::result<dockline::containerize::containerize_options> read_build_request(
    std::string_view body, const std::string& root, dockline::diagnostics& why) {
  dockline::containerize::containerize_options options;
  if (auto read = dockline::containerize::read_options(body, "request", options, why); !read)
    return read.error();
  options.working_directory = root;
  if (auto sound = dockline::containerize::check_options(options, why); !sound) return sound.error();
  return options;
}

std::string json_object(std::string_view name, std::string_view value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "{\"" + std::string(name) + "\":\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text.append({'\\', c});
    } else if (byte < 0x20) {
      text.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      text += c;
    }
  }
  return text + "\"}";
}

}  // namespace sample
