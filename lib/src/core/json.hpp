#pragma once

// JSON, read tolerantly and written strictly. What comes from a daemon is not trusted: neither deep nesting
// nor bad UTF-8 nor an unexpected type does more than make a value absent.

#include "dockline/core/error.hpp"

#include <rapidjson/fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::json {

class value;
struct member;

// RapidJSON's own looks at no null that malloc gives.
class throwing_allocator;
using tree_node =
    rapidjson::GenericValue<rapidjson::UTF8<char>, rapidjson::MemoryPoolAllocator<throwing_allocator>>;

// What value::elements() and value::members() give to a range-for.
template <class Item>
class range {
 public:
  class iterator {
   public:
    iterator(const tree_node* owner, std::size_t index) : owner_(owner), index_(index) {}
    Item operator*() const;
    iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const iterator& other) const = default;

   private:
    const tree_node* owner_;
    std::size_t index_;
  };

  range(const tree_node* owner, std::size_t size) : owner_(owner), size_(size) {}
  iterator begin() const { return {owner_, 0}; }
  iterator end() const { return {owner_, size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  const tree_node* owner_;
  std::size_t size_;
};

// A look at a value of a document, valid as long as the document is neither parsed into again nor gone. A
// default one stands for a value that is not there, and is what a missing member gives, so that
// `answer.find("State").find("ExitCode").as_int()` needs no check in between.
class value {
 public:
  value() = default;
  explicit value(const tree_node* node) : node_(node) {}

  // Whether there is a value at all; null is one.
  bool exists() const noexcept { return node_ != nullptr; }
  bool is_null() const noexcept;
  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_string() const noexcept;

  // The member of an object; absent for another type. The key is case-sensitive.
  value find(std::string_view key) const noexcept;

  // Empty when the value is absent or of another type. Strings are valid UTF-8, and may hold NUL.
  std::optional<std::string_view> as_string() const noexcept;
  std::optional<std::int64_t> as_int() const noexcept;  // also empty for a fraction, or out of range
  std::optional<double> as_double() const noexcept;     // of any number
  std::optional<bool> as_bool() const noexcept;
  // The string, or an empty one.
  std::string_view string_or_empty() const noexcept { return as_string().value_or(std::string_view()); }

  // In the document's order; empty for another type.
  range<value> elements() const noexcept;  // of an array
  range<member> members() const noexcept;  // of an object

 private:
  const tree_node* node_ = nullptr;
};

struct member {
  std::string_view name;
  json::value value;
};

// Bounds of what is accepted; beyond them parsing fails.
struct limits {
  limits() = default;

  std::size_t bytes = std::size_t{64} << 20;  // length of the text
  std::size_t depth = 128;                    // objects and arrays inside one another
};

// A parsed text, and the memory that its values live in. To parse many texts, parse into one document: its
// memory is used again.
class document {
 public:
  document();
  document(document&&) noexcept;
  document& operator=(document&&) noexcept;
  ~document();

  // Parses one JSON value with nothing but white space around it. The text is copied. Bytes that are not
  // UTF-8, and halves of surrogate pairs, become U+FFFD. On failure (errc::malformed_json) root() is absent.
  error_code parse(std::string_view text, const limits& bounds = {});

  value root() const noexcept;

  // After a failure: how many bytes of the text were understood. A little off where it is not UTF-8.
  std::size_t failed_at() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

// A new document from a text.
result<document> parse(std::string_view text, const limits& bounds = {});

// Writes one JSON value, without white space. Calls must make a well-formed value: inside an object, key()
// before each value.
class writer {
 public:
  writer();
  writer(writer&&) noexcept;
  writer& operator=(writer&&) noexcept;
  ~writer();

  writer& begin_object();
  writer& end_object();
  writer& begin_array();
  writer& end_array();
  // Bytes that are not UTF-8 become U+FFFD, in both.
  writer& key(std::string_view name);
  writer& string(std::string_view text);
  writer& integer(std::int64_t number);
  writer& unsigned_integer(std::uint64_t number);
  writer& boolean(bool truth);
  writer& null();

  // What was written so far; take() leaves the writer ready for another value.
  const std::string& text() const noexcept;
  std::string take();
  // What was written since the last part of a value that goes on.
  std::string take_part();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace dockline::json
