#include "commands/build_outcome.hpp"

#include "commands/build_arguments.hpp"
#include "json_text.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace dockline::tool {
namespace {

// No file is asked for by an empty path.
bool write_file(std::string_view option, const std::string& path, const std::string& text,
                console& terminal) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::trunc | std::ios::binary);
  file << text;
  file.close();
  if (file.good()) return true;
  terminal.error(std::string(option) + " \"" + path + "\": cannot be written");
  return false;
}

bool make_room(std::string_view option, const std::string& path, console& terminal) {
  if (path.empty()) return true;
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_type there = fs::status(path, code).type();
  const char* wrong = nullptr;
  if (there == fs::file_type::directory) wrong = "is a directory";
  if (there == fs::file_type::not_found && !fs::is_directory(fs::absolute(path).parent_path(), code))
    wrong = "its directory is not there";
  if (wrong != nullptr) {
    terminal.error(std::string(option) + " \"" + path + "\": " + wrong);
    return false;
  }
  // A device or a pipe is written to as it is.
  if (there == fs::file_type::regular) fs::remove(path, code);
  return true;
}

// What buildx writes with --metadata-file, under the same names, as far as it is known here.
std::string metadata(const made_image& image, const std::vector<std::string>& tags) {
  std::string names;
  for (const auto& tag : tags) names += (names.empty() ? "" : ",") + tag;
  json_object object;
  if (!image.config_digest.empty()) object.add("containerimage.config.digest", image.config_digest);
  if (!image.manifest_digest.empty()) object.add("containerimage.digest", image.manifest_digest);
  if (!names.empty()) object.add("image.name", names);
  return object.line();
}

}  // namespace

bool remove_old_outcome(const build_arguments& arguments, console& terminal) {
  return make_room("--iidfile", arguments.iidfile, terminal) &&
         make_room("--metadata-file", arguments.metadata_file, terminal);
}

bool write_iidfile(const build_arguments& arguments, const std::string& id, console& terminal) {
  return write_file("--iidfile", arguments.iidfile, id, terminal);
}

bool write_metadata(const build_arguments& arguments, const made_image& image, console& terminal) {
  return write_file("--metadata-file", arguments.metadata_file, metadata(image, arguments.tags), terminal);
}

}  // namespace dockline::tool
