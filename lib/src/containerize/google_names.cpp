#include "containerize/google_names.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace dockline::containerize {
namespace {

bool is_plain(char c) { return is_lower(c) || is_digit(c); }

template <class Take>
bool each_part(std::string_view text, char separator, Take take) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!take(text.substr(0, end))) return false;
    if (end == text.npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_dotted_address(std::string_view text) {
  std::size_t parts = 0;
  return each_part(text, '.',
                   [&](std::string_view part) {
                     ++parts;
                     return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, is_digit);
                   }) &&
         parts == 4;
}

// "google" and what is easily taken for it.
bool resembles_google(std::string_view name) {
  std::string plain(name);
  std::ranges::replace(plain, '0', 'o');
  std::ranges::replace(plain, '1', 'l');
  return plain.find("google") != plain.npos;
}

bool is_domain(std::string_view text) {
  return text.find('.') != text.npos && each_part(text, '.', [](std::string_view part) {
           return !part.empty() && is_plain(part.front()) && is_plain(part.back()) &&
                  std::ranges::all_of(part, [](char c) { return is_plain(c) || c == '-'; });
         });
}

}  // namespace

std::string_view bucket_name_fault(std::string_view name) {
  if (name.starts_with("gs://")) return "a bucket is given by its name alone, without gs://";
  if (!std::ranges::all_of(name, [](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; }))
    return "a bucket's name has lower-case letters, digits, '-', '_' and '.' only";
  const bool dotted = name.find('.') != name.npos;
  if (name.size() < 3 || (!dotted && name.size() > 63)) return "a bucket's name has 3 to 63 characters";
  if (name.size() > 222) return "a bucket's name with dots has at most 222 characters";
  if (!is_plain(name.front()) || !is_plain(name.back()))
    return "a bucket's name begins and ends with a letter or a digit";
  if (!each_part(name, '.', [](std::string_view part) { return !part.empty() && part.size() <= 63; }))
    return "between its dots a bucket's name has 1 to 63 characters";
  if (is_dotted_address(name)) return "a bucket's name is no IP address";
  if (name.starts_with("goog")) return "a bucket's name does not begin with \"goog\"";
  if (resembles_google(name)) return "a bucket's name does not contain \"google\", nor what looks like it";
  return {};
}

std::string_view project_id_fault(std::string_view id) {
  if (const std::size_t colon = id.find(':'); colon != id.npos) {
    if (!is_domain(id.substr(0, colon))) return "what stands before the ':' of a project's id is a domain";
    id.remove_prefix(colon + 1);
  }
  if (id.size() < 6 || id.size() > 30) return "a project's id has 6 to 30 characters";
  if (!std::ranges::all_of(id, [](char c) { return is_plain(c) || c == '-'; }))
    return "a project's id has lower-case letters, digits and '-' only (it is neither its name nor its "
           "number)";
  if (!is_lower(id.front())) return "a project's id begins with a letter";
  if (id.back() == '-') return "a project's id does not end with '-'";
  return {};
}

std::string_view region_fault(std::string_view region) {
  const bool sound = region.size() <= 63 && !region.empty() && is_lower(region.front()) &&
                     region.back() != '-' &&
                     std::ranges::all_of(region, [](char c) { return is_plain(c) || c == '-'; });
  return sound ? std::string_view() : "a region is written like \"europe-west1\", or \"global\"";
}

}  // namespace dockline::containerize
