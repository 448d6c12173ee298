#include "archive/disk.hpp"

#include <algorithm>

namespace dockline::archive {

void directory_names::add(std::string_view name, file_kind kind) {
  starts_.push_back(static_cast<std::uint32_t>(text_.size()));
  text_ += static_cast<char>(kind);
  text_ += name;
  text_ += '\0';
}

bool directory_names::sort(const std::atomic<bool>* stopped) {
  // Thrown out of the comparison: std::sort has no other way to end early.
  struct ended {};
  constexpr std::uint32_t look_every = 4096;
  const char* text = text_.data();
  std::uint32_t compared = 0;
  try {
    std::sort(starts_.begin(), starts_.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (++compared % look_every == 0 && stopped != nullptr && *stopped) throw ended();
      return std::string_view(text + a + 1) < std::string_view(text + b + 1);
    });
  } catch (const ended&) {
    return false;
  }
  return true;
}

void directory_names::clear() {
  text_.clear();
  starts_.clear();
}

std::string_view directory_names::name(std::size_t index) const noexcept {
  return text_.data() + starts_[index] + 1;
}

file_kind directory_names::kind(std::size_t index) const noexcept {
  return static_cast<file_kind>(text_[starts_[index]]);
}

}  // namespace dockline::archive
