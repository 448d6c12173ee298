#pragma once

// A file system in memory whose files misbehave on demand.

#include "archive/disk.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::archive {

struct memory_node {
  file_attributes attributes;
  std::string text;  // of a file; of a link, its target
  std::string capability;
  extended_attributes extended;
  std::map<std::string, memory_node> children;
};

class memory_disk final : public disk {
 public:
  memory_disk() { root.attributes.kind = file_kind::directory; }

  memory_node root;

  // What to answer instead, asked with "list", "look", "link", "open", "enter", "read", "attributes" or
  // "capability" and a path; 0 for the truth. May also change the tree.
  mutable std::function<int(std::string_view what, const std::string& path)> fault;
  mutable std::vector<std::string> entered;  // directories that were opened
  mutable int open_handles = 0;

  memory_node& file(const std::string& path, std::string text, std::uint32_t mode = 0644) {
    memory_node& node = at(path);
    node.attributes.kind = file_kind::regular;
    node.attributes.mode = mode;
    node.attributes.size = text.size();
    node.text = std::move(text);
    return node;
  }
  memory_node& other(const std::string& path, file_kind kind, std::string target = {}) {
    memory_node& node = at(path);
    node.attributes.kind = kind;
    node.text = std::move(target);
    return node;
  }

  result<std::unique_ptr<disk_directory>> open_root(const std::string&) const override;

  int ask(std::string_view what, const std::string& path) const { return fault ? fault(what, path) : 0; }

 private:
  memory_node& at(const std::string& path) {
    memory_node* node = &root;
    for (std::size_t start = 0; start <= path.size();) {
      const std::size_t slash = std::min(path.find('/', start), path.size());
      node->attributes.kind = file_kind::directory;
      node->attributes.mode = 0755;
      node = &node->children[path.substr(start, slash - start)];
      node->attributes.inode = ++inodes_;
      start = slash + 1;
    }
    return *node;
  }

  std::uint64_t inodes_ = 0;
};

inline error_code system_error_of(int number) { return {number, boost::system::system_category()}; }

class memory_file final : public disk_file {
 public:
  memory_file(const memory_disk& owner, const memory_node& node, std::string path)
      : owner_(owner), node_(node), path_(std::move(path)) {
    ++owner_.open_handles;
  }
  ~memory_file() override { --owner_.open_handles; }

  result<file_attributes> look() override { return node_.attributes; }
  result<std::size_t> read(std::span<char> block) override {
    if (const int number = owner_.ask("read", path_)) return system_error_of(number);
    const std::size_t left = node_.text.size() > at_ ? node_.text.size() - at_ : 0;
    const std::size_t count = std::min(block.size(), left);
    std::copy_n(node_.text.data() + at_, count, block.data());
    at_ += count;
    return count;
  }
  result<std::string> capability() override {
    if (const int number = owner_.ask("capability", path_)) return system_error_of(number);
    return node_.capability;
  }

 private:
  const memory_disk& owner_;
  const memory_node& node_;
  std::string path_;
  std::size_t at_ = 0;
};

class memory_directory final : public disk_directory {
 public:
  memory_directory(const memory_disk& owner, const memory_node& node, std::string path)
      : owner_(owner), node_(node), path_(std::move(path)) {
    ++owner_.open_handles;
    owner_.entered.push_back(path_);
  }
  ~memory_directory() override { --owner_.open_handles; }

  result<file_attributes> look() override { return node_.attributes; }
  error_code list(directory_names& names, const std::atomic<bool>* stopped) override {
    if (const int number = owner_.ask("list", path_)) return system_error_of(number);
    for (const auto& [name, child] : node_.children) names.add(name, child.attributes.kind);
    return names.sort(stopped) ? error_code() : error_code(boost::asio::error::operation_aborted);
  }
  result<file_attributes> look(std::string_view name) override {
    const memory_node* child = nullptr;
    if (const error_code code = find("look", name, child)) return code;
    return child->attributes;
  }
  result<std::string> read_link(std::string_view name) override {
    const memory_node* child = nullptr;
    if (const error_code code = find("link", name, child)) return code;
    return child->text;
  }
  result<extended_attributes> read_extended(std::string_view name) override {
    const memory_node* child = nullptr;
    if (const error_code code = find("attributes", name, child)) return code;
    return child->extended;
  }
  result<std::unique_ptr<disk_file>> open_file(std::string_view name) override {
    const memory_node* child = nullptr;
    if (const error_code code = find("open", name, child)) return code;
    return std::unique_ptr<disk_file>(std::make_unique<memory_file>(owner_, *child, path_of(name)));
  }
  result<std::unique_ptr<disk_directory>> open_directory(std::string_view name) override {
    const memory_node* child = nullptr;
    if (const error_code code = find("enter", name, child)) return code;
    return std::unique_ptr<disk_directory>(std::make_unique<memory_directory>(owner_, *child, path_of(name)));
  }

 private:
  std::string path_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "/" + std::string(name);
  }
  error_code find(std::string_view what, std::string_view name, const memory_node*& child) const {
    if (const int number = owner_.ask(what, path_of(name))) return system_error_of(number);
    const auto found = node_.children.find(std::string(name));
    if (found == node_.children.end()) return system_error_of(ENOENT);
    child = &found->second;
    return {};
  }

  const memory_disk& owner_;
  const memory_node& node_;
  std::string path_;
};

inline result<std::unique_ptr<disk_directory>> memory_disk::open_root(const std::string&) const {
  if (const int number = ask("enter", "")) return system_error_of(number);
  return std::unique_ptr<disk_directory>(std::make_unique<memory_directory>(*this, root, ""));
}

}  // namespace dockline::archive
