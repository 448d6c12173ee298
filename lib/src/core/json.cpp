#include "core/json.hpp"

#include "core/encoding.hpp"

#include <rapidjson/document.h>
#include <rapidjson/reader.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace dockline::json {

class throwing_allocator {
 public:
  static constexpr bool kNeedFree = true;

  void* Malloc(std::size_t size) { return size > 0 ? ::operator new(size) : nullptr; }
  void* Realloc(void* old, std::size_t old_size, std::size_t size) {
    void* const moved = Malloc(size);
    if (moved && old) std::memcpy(moved, old, std::min(old_size, size));
    Free(old);
    return moved;
  }
  static void Free(void* memory) noexcept { ::operator delete(memory); }
};

namespace {

// The value of the four hexadecimal digits at the start of `text`, or -1.
int four_digits(std::string_view text) {
  const auto bytes = decode_hex(text.substr(0, 4));
  if (!bytes || bytes->size() != 2) return -1;
  return static_cast<unsigned char>((*bytes)[0]) << 8 | static_cast<unsigned char>((*bytes)[1]);
}

bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

// Writes \ufffd over each escape that is half of a surrogate pair: RapidJSON refuses the one half, and makes
// bad UTF-8 of the other.
void mend_surrogates(std::string& text) {
  const std::string_view view = text;
  std::size_t at = 0;
  while ((at = view.find('\\', at)) != std::string_view::npos) {
    const std::string_view rest = view.substr(at);
    if (rest.size() < 6 || rest[1] != 'u') {
      at += 2;
      continue;
    }
    const int unit = four_digits(rest.substr(2));
    if (is_high_surrogate(unit) && rest.size() >= 12 && rest[6] == '\\' && rest[7] == 'u' &&
        is_low_surrogate(four_digits(rest.substr(8)))) {
      at += 12;
      continue;
    }
    if (is_high_surrogate(unit) || is_low_surrogate(unit)) text.replace(at + 2, 4, "fffd");
    at += 6;
  }
}

// Passes the parser's calls on to the document, and stops it where the nesting gets too deep.
template <class Handler>
class depth_guard {
 public:
  depth_guard(Handler& next, std::size_t limit) : next_(next), left_(limit) {}

  bool Null() { return next_.Null(); }
  bool Bool(bool truth) { return next_.Bool(truth); }
  bool Int(int number) { return next_.Int(number); }
  bool Uint(unsigned number) { return next_.Uint(number); }
  bool Int64(std::int64_t number) { return next_.Int64(number); }
  bool Uint64(std::uint64_t number) { return next_.Uint64(number); }
  bool Double(double number) { return next_.Double(number); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool copy) {
    return next_.RawNumber(text, size, copy);
  }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return next_.String(text, size, copy);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) { return next_.Key(text, size, copy); }
  bool StartObject() { return enter() && next_.StartObject(); }
  bool EndObject(rapidjson::SizeType count) {
    ++left_;
    return next_.EndObject(count);
  }
  bool StartArray() { return enter() && next_.StartArray(); }
  bool EndArray(rapidjson::SizeType count) {
    ++left_;
    return next_.EndArray(count);
  }

 private:
  bool enter() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  Handler& next_;
  std::size_t left_;
};

// Where rapidjson::Writer puts its characters.
class string_output {
 public:
  using Ch = char;

  void Put(char letter) { text.push_back(letter); }
  void Flush() {}

  std::string text;
};

using utf8 = rapidjson::UTF8<char>;
using pool = rapidjson::MemoryPoolAllocator<throwing_allocator>;
using tree = rapidjson::GenericDocument<utf8, pool, throwing_allocator>;

}  // namespace

struct document::impl {
  std::string text;  // parsed in place: the strings of the values point into it
  std::array<char, 8192> first_block{};
  pool memory{first_block.data(), first_block.size()};
  rapidjson::GenericReader<utf8, utf8, throwing_allocator> reader;
  tree parsed{&memory};
  bool valid = false;
  std::size_t failed_at = 0;
};

document::document() : impl_(std::make_unique<impl>()) {}
document::document(document&&) noexcept = default;
document& document::operator=(document&&) noexcept = default;
document::~document() = default;

error_code document::parse(std::string_view text, const limits& bounds) {
  impl& self = *impl_;
  self.valid = false;
  // A NUL would end the text for the parser; in JSON it stands nowhere.
  self.failed_at = std::min(text.find('\0'), bounds.bytes);
  if (text.size() > self.failed_at) return errc::malformed_json;
  if (is_utf8(text))
    self.text.assign(text);
  else
    self.text = to_utf8(text);
  mend_surrogates(self.text);
  self.parsed.SetNull();
  self.memory.Clear();
  rapidjson::InsituStringStream input(self.text.data());
  // Iterative: the nesting of the text uses no stack of this thread.
  auto generate = [&](tree& handler) {
    depth_guard guard(handler, bounds.depth);
    constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag;
    self.valid = !self.reader.Parse<flags>(input, guard).IsError();
    self.failed_at = self.reader.GetErrorOffset();
    return self.valid;
  };
  self.parsed.Populate(generate);
  return self.valid ? error_code() : errc::malformed_json;
}

value document::root() const noexcept { return impl_->valid ? value(&impl_->parsed) : value(); }

std::size_t document::failed_at() const noexcept { return impl_->failed_at; }

result<document> parse(std::string_view text, const limits& bounds) {
  document parsed;
  if (const error_code failure = parsed.parse(text, bounds)) return failure;
  return parsed;
}

bool value::is_null() const noexcept { return node_ && node_->IsNull(); }
bool value::is_object() const noexcept { return node_ && node_->IsObject(); }
bool value::is_array() const noexcept { return node_ && node_->IsArray(); }
bool value::is_string() const noexcept { return node_ && node_->IsString(); }

value value::find(std::string_view key) const noexcept {
  if (!is_object()) return {};
  for (auto at = node_->MemberBegin(); at != node_->MemberEnd(); ++at)
    if (std::string_view(at->name.GetString(), at->name.GetStringLength()) == key) return value(&at->value);
  return {};
}

std::optional<std::string_view> value::as_string() const noexcept {
  if (!is_string()) return std::nullopt;
  return std::string_view(node_->GetString(), node_->GetStringLength());
}

std::optional<std::int64_t> value::as_int() const noexcept {
  if (!node_ || !node_->IsInt64()) return std::nullopt;
  return node_->GetInt64();
}

std::optional<double> value::as_double() const noexcept {
  if (!node_ || !node_->IsNumber()) return std::nullopt;
  return node_->GetDouble();
}

std::optional<bool> value::as_bool() const noexcept {
  if (!node_ || !node_->IsBool()) return std::nullopt;
  return node_->GetBool();
}

range<value> value::elements() const noexcept { return {node_, is_array() ? node_->Size() : 0}; }
range<member> value::members() const noexcept { return {node_, is_object() ? node_->MemberCount() : 0}; }

template <>
value range<value>::iterator::operator*() const {
  return value(owner_->Begin() + index_);
}

template <>
member range<member>::iterator::operator*() const {
  const auto& found = owner_->MemberBegin()[static_cast<std::ptrdiff_t>(index_)];
  return {std::string_view(found.name.GetString(), found.name.GetStringLength()), value(&found.value)};
}

struct writer::impl {
  string_output output;
  rapidjson::Writer<string_output, utf8, utf8, throwing_allocator> json{output};
};

writer::writer() : impl_(std::make_unique<impl>()) {}
writer::writer(writer&&) noexcept = default;
writer& writer::operator=(writer&&) noexcept = default;
writer::~writer() = default;

writer& writer::begin_object() {
  impl_->json.StartObject();
  return *this;
}

writer& writer::end_object() {
  impl_->json.EndObject();
  return *this;
}

writer& writer::begin_array() {
  impl_->json.StartArray();
  return *this;
}

writer& writer::end_array() {
  impl_->json.EndArray();
  return *this;
}

writer& writer::key(std::string_view name) { return string(name); }

writer& writer::string(std::string_view text) {
  if (!is_utf8(text)) return string(to_utf8(text));
  impl_->json.String(text.data() ? text.data() : "", static_cast<rapidjson::SizeType>(text.size()));
  return *this;
}

writer& writer::integer(std::int64_t number) {
  impl_->json.Int64(number);
  return *this;
}

writer& writer::unsigned_integer(std::uint64_t number) {
  impl_->json.Uint64(number);
  return *this;
}

writer& writer::boolean(bool truth) {
  impl_->json.Bool(truth);
  return *this;
}

writer& writer::null() {
  impl_->json.Null();
  return *this;
}

const std::string& writer::text() const noexcept { return impl_->output.text; }

std::string writer::take_part() { return std::exchange(impl_->output.text, std::string()); }

std::string writer::take() {
  std::string text = std::exchange(impl_->output.text, {});
  impl_->json.Reset(impl_->output);
  return text;
}

}  // namespace dockline::json
