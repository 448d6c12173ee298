#pragma once

// What a reader made of an answer, as text, so that two readings can be compared; and an answer written anew.

#include "core/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace dockline::fuzz {

// Lists fields one after the other, each with its length, so that no two lists of fields give the same text.
// For a structure there has to be a function list(listing&, const T&).
class listing {
 public:
  template <class... Fields>
  void operator()(const Fields&... fields) {
    (add(fields), ...);
  }

  const std::string& text() const noexcept { return text_; }
  // The bytes of all texts in it.
  std::size_t held() const noexcept { return held_; }

 private:
  void add(const std::string& text) {
    held_ += text.size();
    text_ += std::to_string(text.size()) + ':' + text;
  }
  template <class T>
  void add(const T& field) {
    if constexpr (std::is_enum_v<T>)
      text_ += std::to_string(static_cast<int>(field)) + ',';
    else if constexpr (std::is_arithmetic_v<T>)
      text_ += std::to_string(field) + ',';
    else
      list(*this, field);
  }
  template <class T>
  void add(const std::vector<T>& many) {
    text_ += '[';
    for (const T& one : many) add(one);
    text_ += ']';
  }
  template <class T>
  void add(const std::optional<T>& maybe) {
    text_ += maybe ? '?' : '-';
    if (maybe) add(*maybe);
  }
  void add(const std::map<std::string, std::string>& pairs) {
    text_ += '{';
    for (const auto& [name, value] : pairs) {
      add(name);
      add(value);
    }
    text_ += '}';
  }

  std::string text_;
  std::size_t held_ = 0;
};

// Writes a value as it was read. False where it has a number that the writer has not.
inline bool write_again(json::writer& out, json::value what) {
  bool whole = true;
  if (what.is_object()) {
    out.begin_object();
    for (const json::member one : what.members()) {
      out.key(one.name);
      whole = write_again(out, one.value) && whole;
    }
    out.end_object();
  } else if (what.is_array()) {
    out.begin_array();
    for (const json::value one : what.elements()) whole = write_again(out, one) && whole;
    out.end_array();
  } else if (const auto text = what.as_string()) {
    out.string(*text);
  } else if (const auto number = what.as_int()) {
    out.integer(*number);
  } else if (const auto truth = what.as_bool()) {
    out.boolean(*truth);
  } else {
    out.null();
    whole = what.is_null();
  }
  return whole;
}

// The text of a JSON value, written anew; nothing where it is none, or has such a number.
inline std::optional<std::string> written_again(std::string_view text) {
  const auto parsed = json::parse(text);
  json::writer out;
  if (!parsed || !write_again(out, parsed->root())) return std::nullopt;
  return out.take();
}

}  // namespace dockline::fuzz
