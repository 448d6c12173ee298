#include "json.hpp"

#include <dockline/progress/printable.hpp>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace sample {
namespace {

class json_writer {
 public:
  json_writer() { out_.StartObject(); }

  void text(const char* name, std::string_view value) {
    out_.Key(name);
    string(value);
  }

  void number(const char* name, int value) {
    out_.Key(name);
    out_.Int(value);
  }

  void texts(const char* name, const std::vector<std::string>& values) {
    out_.Key(name);
    out_.StartArray();
    for (const std::string& value : values) string(value);
    out_.EndArray();
  }

  std::string finish() {
    out_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  // The names of files and the words of programs need not be UTF-8, which JSON is.
  void string(std::string_view value) {
    const std::string shown = dockline::progress::printable(value);
    out_.String(shown.data(), static_cast<rapidjson::SizeType>(shown.size()));
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> out_{buffer_};
};

}  // namespace

std::string message_json(std::string_view message) {
  json_writer out;
  out.text("message", message);
  return out.finish();
}

std::string health_json(int builds) {
  json_writer out;
  out.number("builds", builds);
  return out.finish();
}

std::string image_json(const dockline::containerize::containerized_image& image) {
  json_writer out;
  out.text("image", image.image_uri);
  out.text("digest", image.digest);
  out.text("builder", image.builder);
  out.texts("warnings", image.warnings);
  return out.finish();
}

}  // namespace sample
