#include "engine/registry_challenge.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"

#include <algorithm>
#include <cstddef>

namespace dockline::engine {
namespace {

bool equal_letters(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, to_lower, to_lower);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

class parameter_reader {
 public:
  explicit parameter_reader(std::string_view text) : text_(text) {}

  // The next name and value; false at the end, or where it is malformed.
  bool next(std::string& name, std::string& value) {
    skip(" \t,");
    const std::size_t sign = text_.find('=');
    if (sign == text_.npos) return false;
    name = text_.substr(0, sign);
    while (name.ends_with(' ')) name.pop_back();
    text_.remove_prefix(sign + 1);
    skip(" \t");
    if (text_.starts_with('"')) return take_quoted(value);
    const std::size_t end = std::min(text_.find_first_of(" \t,"), text_.size());
    value = text_.substr(0, end);
    text_.remove_prefix(end);
    return true;
  }

  bool malformed() const noexcept { return !text_.empty(); }

 private:
  void skip(std::string_view what) {
    text_.remove_prefix(std::min(text_.find_first_not_of(what), text_.size()));
  }

  bool take_quoted(std::string& value) {
    value.clear();
    for (std::size_t at = 1; at < text_.size(); ++at) {
      if (text_[at] == '"') {
        text_.remove_prefix(at + 1);
        return true;
      }
      if (text_[at] == '\\' && at + 1 < text_.size()) ++at;
      value += text_[at];
    }
    return false;
  }

  std::string_view text_;
};

}  // namespace

std::optional<registry_challenge> read_challenge(std::string_view field) {
  constexpr std::string_view scheme = "bearer";
  if (field.size() <= scheme.size() || field[scheme.size()] != ' ' ||
      !equal_letters(field.substr(0, scheme.size()), scheme))
    return std::nullopt;
  parameter_reader parameters(field.substr(scheme.size()));
  registry_challenge found;
  std::string name;
  std::string value;
  while (parameters.next(name, value)) {
    if (equal_letters(name, "realm")) found.realm = value;
    if (equal_letters(name, "service")) found.service = value;
    if (equal_letters(name, "scope")) found.scopes = words_of(value);
  }
  if (parameters.malformed() || found.realm.empty()) return std::nullopt;
  return found;
}

std::string token_url(const registry_challenge& challenge) {
  std::string url = challenge.realm;
  char separator = url.find('?') == url.npos ? '?' : '&';
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    url += separator;
    url.append(name).append("=").append(escape_query(value));
    separator = '&';
  };
  add("service", challenge.service);
  for (const std::string& scope : challenge.scopes) add("scope", scope);
  return url;
}

}  // namespace dockline::engine
