#include "containerize/dockerfile.hpp"

#include "containerize/refusal.hpp"
#include "core/ascii.hpp"

#include <algorithm>

namespace dockline::containerize {
namespace {

bool is_safe(char c) {
  return is_letter(c) || is_digit(c) || c == '/' || c == '.' || c == '_' || c == '-' || c == '+' ||
         c == ',' || c == ':' || c == '@' || c == '=';
}

// An argument that a program does not take for an option.
std::string argument(const std::string& path) { return path.starts_with('-') ? "./" + path : path; }

result<void> check(std::string_view field, std::string_view path, diagnostics& why) {
  if (std::ranges::any_of(path, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }))
    return refuse(field, path, "a path here has no line breaks and no NUL", why);
  return result<void>();
}

}  // namespace

std::string dockerfile_word(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_safe)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string dockerfile_json(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append({'\\', c});
    } else if (byte < 0x20) {
      quoted.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string dockerfile_source(std::string_view path) {
  // Else "<<EOF" would be the start of a here-document.
  std::string word = path.find("<<") != path.npos ? "./" : "";
  for (const char c : path) {
    if (c == '"' || c == '\'' || c == '\\' || c == '$') word += '\\';
    word += c;
  }
  return dockerfile_json(word);
}

bool is_pattern(std::string_view path) { return path.find_first_of("*?[\\") != path.npos; }

result<std::string> make_dockerfile(const dockerfile_parts& parts, diagnostics& why) {
  if (auto sound = check("destination_dir", parts.destination_dir, why); !sound) return sound.error();
  if (auto sound = check("requirements", parts.requirements, why); !sound) return sound.error();
  if (is_pattern(parts.requirements))
    return refuse("requirements", parts.requirements, "is a pattern, which may name other files", why);
  if (auto sound = check("entry_point", parts.entry_point, why); !sound) return sound.error();

  std::string text = "FROM " + parts.parent_image + "\n";
  text += "WORKDIR " + dockerfile_word(parts.destination_dir) + "\n";
  if (!parts.requirements.empty()) {
    const std::string name = parts.requirements.substr(parts.requirements.rfind('/') + 1);
    text += "COPY [" + dockerfile_source(parts.requirements) + ", \"./\"]\n";
    text +=
        "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"-r\", " + dockerfile_json(argument(name)) + "]\n";
  }
  if (parts.tpu_client) text += "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"cloud-tpu-client\"]\n";
  text += "COPY [\".\", \"./\"]\n";
  text += "ENTRYPOINT [\"python\", " + dockerfile_json(argument(parts.entry_point)) + "]\n";
  return text;
}

}  // namespace dockline::containerize
