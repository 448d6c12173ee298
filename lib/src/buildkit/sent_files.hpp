#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

// The files whose description was sent, by their place in the list: what a request for one names. A tree may
// have a million of them, so each costs its own name and 40 bytes.
class sent_files {
 public:
  struct file {
    std::uint64_t name = 0;    // where its last name begins
    std::uint64_t length = 0;  // of the name
    std::uint64_t size = 0;
    std::int64_t modified = 0;
    std::uint32_t parent = none;
    bool has_content = false;  // until it is asked for
  };
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  // In the order in which they are sent: after the directory that holds it. Returns its place.
  std::uint32_t add(std::string_view path, bool directory);

  std::size_t size() const noexcept { return files_.size(); }
  file& operator[](std::size_t id) noexcept { return files_[id]; }

  std::string_view name(std::uint32_t id) const noexcept {
    return std::string_view(names_).substr(files_[id].name, files_[id].length);
  }
  std::string path(std::uint32_t id) const;

 private:
  struct open_directory {
    std::uint32_t id;
    std::string path;  // with a final slash
  };

  std::vector<file> files_;
  std::string names_;
  std::vector<open_directory> open_;
};

}  // namespace dockline::buildkit
