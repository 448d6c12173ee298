#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dockline::archive {

// A folder of its own, gone at the end of the test.
class scratch_tree {
 public:
  scratch_tree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dockline-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root_ = std::filesystem::canonical(pattern).string();
  }
  scratch_tree(const scratch_tree&) = delete;
  scratch_tree& operator=(const scratch_tree&) = delete;
  ~scratch_tree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  const std::string& root() const { return root_; }
  std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }

  void file(std::string_view name, std::string_view text = {}, mode_t mode = 0644) const {
    const std::filesystem::path where = path(name);
    std::filesystem::create_directories(where.parent_path());
    std::ofstream(where, std::ios::binary) << text;
    ::chmod(where.c_str(), mode);
  }
  void directory(std::string_view name) const { std::filesystem::create_directories(path(name)); }
  void symlink(std::string_view name, const std::string& target) const {
    const std::filesystem::path where = path(name);
    std::filesystem::create_directories(where.parent_path());
    std::filesystem::create_symlink(target, where);
  }

 private:
  std::string root_;
};

}  // namespace dockline::archive
