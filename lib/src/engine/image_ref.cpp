#include "dockline/engine/image_ref.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

// The longest name that Docker accepts, without the registry. (Before 2024 the registry counted too; a daemon
// as old says so itself.)
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;

bool is_alphanumeric(char c) { return is_digit(c) || is_letter(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// domain-component: letters and digits with '-' inside.
bool is_domain_component(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

// "[" IPv6 "]": a rough check, as in the grammar itself.
bool is_bracketed_address(std::string_view text) {
  return text.size() > 2 && text.front() == '[' && text.back() == ']' &&
         std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
         });
}

bool is_domain(std::string_view text) {
  std::string_view host = text;
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos && (bracket == text.npos || colon > bracket)) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || !std::ranges::all_of(port, is_digit)) return false;
    host = text.substr(0, colon);
  }
  if (is_bracketed_address(host)) return true;
  for (;;) {
    const std::size_t dot = host.find('.');
    if (!is_domain_component(host.substr(0, dot))) return false;
    if (dot == host.npos) return true;
    host.remove_prefix(dot + 1);
  }
}

// path-component: runs of lower-case letters and digits, joined by one '.', one or two '_', or any number of
// '-'.
bool is_path_component(std::string_view text) {
  std::size_t at = 0;
  const auto run = [&] {
    const std::size_t from = at;
    while (at < text.size() && (is_lower(text[at]) || is_digit(text[at]))) ++at;
    return at > from;
  };
  if (!run()) return false;
  while (at < text.size()) {
    if (text[at] == '.') {
      ++at;
    } else if (text[at] == '_') {
      ++at;
      if (at < text.size() && text[at] == '_') ++at;
    } else if (text[at] == '-') {
      while (at < text.size() && text[at] == '-') ++at;
    } else {
      return false;
    }
    if (!run()) return false;
  }
  return true;
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= longest_tag && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text,
                             [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

// The algorithms that daemons and registries know, and how many hexadecimal digits each has.
bool is_digest(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (!std::ranges::all_of(digits, is_hex)) return false;
  if (algorithm == "sha256") return digits.size() == 64;
  if (algorithm == "sha384") return digits.size() == 96;
  return algorithm == "sha512" && digits.size() == 128;
}

// Whether the first part of a name is a registry: Docker's rule to tell "localhost/x" from "team/x".
bool names_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != first.npos ||
         std::ranges::any_of(first, is_upper);
}

}  // namespace

result<image_ref> parse_image_ref(std::string_view text, diagnostics& why) {
  const auto refuse = [&](std::string_view reason) {
    why.set_client_message("image reference \"" + std::string(text) + "\": " + std::string(reason));
    return errc::invalid_reference;
  };
  if (text.empty()) return refuse("it is empty");
  if (text.size() == 64 && std::ranges::all_of(text, is_hex))
    return refuse("64 hexadecimal digits are an id");

  image_ref reference;
  std::string_view name = text;
  if (const std::size_t at = name.find('@'); at != name.npos) {
    if (!is_digest(name.substr(at + 1))) return refuse("what follows the '@' is no digest (sha256:…)");
    reference.digest = name.substr(at + 1);
    name = name.substr(0, at);
  }
  // A ':' behind the last '/' starts the tag; one before it belongs to the registry's port.
  const std::size_t slash = name.rfind('/');
  if (const std::size_t colon = name.rfind(':');
      colon != name.npos && (slash == name.npos || colon > slash)) {
    if (!is_tag(name.substr(colon + 1))) {
      return refuse(
          "a tag is at most 128 letters, digits, '_', '.' and '-', and starts with none of the last two");
    }
    reference.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }

  std::string_view path = name;
  const std::size_t first_slash = name.find('/');
  if (first_slash != name.npos && names_registry(name.substr(0, first_slash))) {
    if (!is_domain(name.substr(0, first_slash))) return refuse("the registry is no host[:port]");
    reference.domain = name.substr(0, first_slash);
    path = name.substr(first_slash + 1);
  } else {
    reference.domain = "docker.io";
  }
  if (reference.domain == "index.docker.io") reference.domain = "docker.io";
  reference.path = path;
  if (reference.domain == "docker.io" && path.find('/') == path.npos) {
    reference.path = "library/" + std::string(path);
  }
  for (;;) {
    const std::size_t next = path.find('/');
    if (!is_path_component(path.substr(0, next))) {
      if (std::ranges::any_of(path, is_upper)) return refuse("a repository name is lower case");
      return refuse(
          "a repository name is lower-case letters and digits with '.', '_', '__' or '-' between them");
    }
    if (next == path.npos) break;
    path.remove_prefix(next + 1);
  }
  if (reference.path.size() > longest_name) return refuse("a name is at most 255 characters long");
  return reference;
}

std::string to_string(const image_ref& reference) {
  std::string text = reference.domain + "/" + reference.path;
  if (!reference.tag.empty()) {
    text += ":" + reference.tag;
  } else if (reference.digest.empty()) {
    text += ":latest";
  }
  if (!reference.digest.empty()) text += "@" + reference.digest;
  return text;
}

}  // namespace dockline::engine
