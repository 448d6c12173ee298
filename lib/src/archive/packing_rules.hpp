#pragma once

// What is changed in the attributes of files that are sent, however they are sent.

#include "archive/disk.hpp"

#include <cstdint>
#include <optional>

namespace dockline::archive {

struct packing_rules {
  packing_rules() = default;

  bool keep_ownership = false;
  // Set: the packing is reproducible, and this is everything's time.
  std::optional<std::int64_t> fixed_time;

  // Permission, set-id and sticky bits. Where equal content has to give equal bytes: whether anybody may
  // execute a file is content; who may read it depends on the umask of whoever checked it out.
  std::uint32_t mode_of(const file_attributes& attributes) const noexcept {
    constexpr std::uint32_t any_execute = 0111;
    constexpr std::uint32_t set_id = 06000;
    if (!fixed_time) return attributes.mode;
    if (attributes.kind == file_kind::directory) return 0755;
    if (attributes.kind == file_kind::symlink) return 0777;
    return ((attributes.mode & any_execute) != 0 ? 0755u : 0644u) | (attributes.mode & set_id);
  }
};

}  // namespace dockline::archive
