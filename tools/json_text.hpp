#pragma once

// JSON of the commands' results: objects of our own on one line, and the daemon's own in either form.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::tool {

// One object, on one line, its fields in the order in which they were added. Bytes that are not UTF-8 become
// U+FFFD.
class json_object {
 public:
  json_object();
  ~json_object();

  json_object& add(std::string_view name, std::string_view text);
  json_object& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  json_object& add(std::string_view name, std::int64_t number);
  json_object& add(std::string_view name, bool truth);
  json_object& add(std::string_view name, const std::vector<std::string>& texts);
  json_object& add(std::string_view name, const std::map<std::string, std::string>& pairs);
  json_object& add_null(std::string_view name);
  // Null where the text is empty.
  json_object& add_known(std::string_view name, std::string_view text);

  // A value that is JSON already.
  json_object& add_json(std::string_view name, std::string_view value);

  // The object; with a line end behind it. One of them, once.
  std::string text();
  std::string line() { return text() + "\n"; }

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

// A value of the daemon's, as it came, on one line (without its end), or indented by four spaces as docker
// shows it. Numbers stay as they were written.
std::string on_one_line(const std::string& json);
std::string indented_array(const std::vector<std::string>& values);

}  // namespace dockline::tool
