#include "json_text.hpp"

#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace dockline::tool {
namespace {

using text_writer = rapidjson::Writer<rapidjson::StringBuffer>;

rapidjson::SizeType length(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

// Numbers go through as text: none loses digits on the way.
constexpr unsigned how = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag;

// Hands numbers on as they were written.
template <class Writer>
struct faithful : Writer {
  using Writer::Writer;

  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return this->RawValue(text, size, rapidjson::kNumberType);
  }
};

template <class Writer>
void copy(const std::string& json, Writer& out) {
  rapidjson::Reader reader;
  rapidjson::StringStream in(json.c_str());
  reader.Parse<how>(in, out);
}

}  // namespace

struct json_object::impl {
  rapidjson::StringBuffer buffer;
  text_writer out{buffer};

  void key(std::string_view name) { out.Key(name.data(), length(name)); }
  void text(std::string_view value) { out.String(value.data(), length(value)); }
};

json_object::json_object() : impl_(std::make_unique<impl>()) { impl_->out.StartObject(); }
json_object::~json_object() = default;

json_object& json_object::add(std::string_view name, std::string_view text) {
  impl_->key(name);
  impl_->text(text);
  return *this;
}

json_object& json_object::add(std::string_view name, std::int64_t number) {
  impl_->key(name);
  impl_->out.Int64(number);
  return *this;
}

json_object& json_object::add(std::string_view name, bool truth) {
  impl_->key(name);
  impl_->out.Bool(truth);
  return *this;
}

json_object& json_object::add(std::string_view name, const std::vector<std::string>& texts) {
  impl_->key(name);
  impl_->out.StartArray();
  for (const auto& text : texts) impl_->text(text);
  impl_->out.EndArray();
  return *this;
}

json_object& json_object::add(std::string_view name, const std::map<std::string, std::string>& pairs) {
  impl_->key(name);
  impl_->out.StartObject();
  for (const auto& [key, value] : pairs) {
    impl_->key(key);
    impl_->text(value);
  }
  impl_->out.EndObject();
  return *this;
}

json_object& json_object::add_null(std::string_view name) {
  impl_->key(name);
  impl_->out.Null();
  return *this;
}

json_object& json_object::add_known(std::string_view name, std::string_view text) {
  return text.empty() ? add_null(name) : add(name, text);
}

json_object& json_object::add_json(std::string_view name, std::string_view value) {
  impl_->key(name);
  impl_->out.RawValue(value.data(), value.size(), rapidjson::kObjectType);
  return *this;
}

std::string json_object::text() {
  impl_->out.EndObject();
  return std::string(impl_->buffer.GetString(), impl_->buffer.GetSize());
}

std::string on_one_line(const std::string& json) {
  rapidjson::StringBuffer buffer;
  faithful<text_writer> out(buffer);
  copy(json, out);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string indented_array(const std::vector<std::string>& values) {
  rapidjson::StringBuffer buffer;
  faithful<rapidjson::PrettyWriter<rapidjson::StringBuffer>> out(buffer);
  out.SetIndent(' ', 4);
  out.StartArray();
  for (const auto& value : values) copy(value, out);
  out.EndArray();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace dockline::tool
