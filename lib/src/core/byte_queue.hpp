#pragma once

#include "core/wipe.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace dockline {

// Bytes that go in at one end and come out at the other. Room in front is used again before memory grows.
class byte_queue {
 public:
  bool empty() const noexcept { return head_ == bytes_.size(); }
  std::size_t size() const noexcept { return bytes_.size() - head_; }

  void append(std::string_view bytes) {
    // What was taken out is moved over only when it is the larger part, so that each byte is moved once.
    if (head_ > bytes_.size() - head_) {
      bytes_.erase(0, head_);
      head_ = 0;
    }
    bytes_.append(bytes);
  }

  // All that is there, the oldest first. Valid until the next call that changes something.
  std::string_view front() const noexcept { return std::string_view(bytes_).substr(head_); }

  void drop(std::size_t count) noexcept {
    head_ += count;
    if (head_ == bytes_.size()) clear();
  }

  void clear() noexcept {
    bytes_.clear();
    head_ = 0;
  }

  // For secrets: room in advance, so that no copy is left behind by growing, and an end that overwrites.
  void reserve(std::size_t size) { bytes_.reserve(size); }
  void wipe() noexcept {
    dockline::wipe(bytes_);
    head_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t head_ = 0;
};

}  // namespace dockline
