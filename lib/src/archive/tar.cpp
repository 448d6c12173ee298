#include "archive/tar.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <span>

namespace dockline::archive {
namespace {

constexpr std::size_t name_size = 100;
constexpr std::size_t prefix_size = 155;

// Where the fields of a ustar header are.
struct field {
  std::size_t offset;
  std::size_t size;
};
constexpr field name_field{0, 100};
constexpr field mode_field{100, 8};
constexpr field uid_field{108, 8};
constexpr field gid_field{116, 8};
constexpr field size_field{124, 12};
constexpr field mtime_field{136, 12};
constexpr field checksum_field{148, 8};
constexpr std::size_t type_offset = 156;
constexpr field link_field{157, 100};
constexpr std::size_t magic_offset = 257;
constexpr field major_field{329, 8};
constexpr field minor_field{337, 8};
constexpr field prefix_field{345, 155};

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

std::string ascii_only(std::string_view text) {
  std::string kept;
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept), [](char c) { return c > 0; });
  return kept;
}

template <class Integer>
constexpr bool fits_in_octal(std::size_t width, Integer value) noexcept {
  return value >= 0 && (static_cast<std::uint64_t>(value) >> ((width - 1) * 3)) == 0;
}

class header_block {
 public:
  // A text that is cut exactly behind a slash loses that as well: some readers take a name that ends in one
  // for a directory.
  void put(field where, std::string_view text) {
    const std::size_t length = std::min(text.size(), where.size);
    std::copy_n(text.data(), length, bytes_.data() + where.offset);
    if (text.size() > where.size && text[where.size - 1] == '/') {
      const std::size_t kept = text.substr(0, where.size - 1).find_last_not_of('/') + 1;
      bytes_[where.offset + kept] = '\0';
    }
  }

  // Octal digits, zero-padded, and a NUL. What does not fit is 0 here and in the PAX header instead.
  void put_octal(field where, std::uint64_t value) {
    if (!fits_in_octal(where.size, value)) value = 0;
    for (std::size_t i = where.size - 1; i > 0; --i) {
      bytes_[where.offset + i - 1] = static_cast<char>('0' + (value & 7));
      value >>= 3;
    }
  }

  void put_type(char type) { bytes_[type_offset] = type; }

  void append_to(std::string& out) {
    std::memcpy(bytes_.data() + magic_offset, "ustar\00000", 8);
    std::memset(bytes_.data() + checksum_field.offset, ' ', checksum_field.size);
    std::uint64_t sum = 0;
    for (const char c : bytes_) sum += static_cast<unsigned char>(c);
    // Six digits, a NUL and a space: a form of its own.
    put_octal({checksum_field.offset, 7}, sum);
    bytes_[checksum_field.offset + 6] = '\0';
    out.append(bytes_.data(), bytes_.size());
  }

 private:
  std::array<char, tar_block> bytes_{};
};

// Where a long name may be cut into the header's prefix and name: the position of the slash between them.
std::optional<std::size_t> split_point(std::string_view name) {
  if (name.size() <= name_size || !is_ascii(name)) return std::nullopt;
  std::size_t length = name.size();
  if (length > prefix_size + 1) {
    length = prefix_size + 1;
  } else if (name.back() == '/') {
    --length;
  }
  const std::size_t slash = name.substr(0, length).rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash > prefix_size) return std::nullopt;
  const std::size_t rest = name.size() - slash - 1;
  if (rest == 0 || rest > name_size) return std::nullopt;
  return slash;
}

// "27 path=...\n": the number counts the whole record, its own digits too.
void append_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t fixed = key.size() + value.size() + 3;
  std::size_t size = fixed + std::to_string(fixed).size();
  size = fixed + std::to_string(size).size();
  out += std::to_string(size);
  out += ' ';
  out += key;
  out += '=';
  out += value;
  out += '\n';
}

using record_map = std::map<std::string_view, std::string>;

void append_pax_header(std::string& out, std::string_view name, const record_map& records) {
  std::string body;
  for (const auto& [key, value] : records) append_record(body, key, value);

  // "dir/file" and "dir/file/" alike: the directory, "PaxHeaders.0", what follows the last slash.
  const std::size_t slash = name.rfind('/');
  std::string shown;
  if (slash != std::string_view::npos) shown = std::string(name.substr(0, slash)) + "/";
  shown += "PaxHeaders.0";
  const std::string_view base = slash == std::string_view::npos ? name : name.substr(slash + 1);
  if (!base.empty()) shown += "/" + std::string(base);
  shown = ascii_only(shown).substr(0, name_size);
  while (shown.ends_with('/')) shown.pop_back();

  header_block block;
  block.put_type('x');
  block.put(name_field, shown);
  block.put_octal(mode_field, 0);
  block.put_octal(uid_field, 0);
  block.put_octal(gid_field, 0);
  block.put_octal(size_field, body.size());
  block.put_octal(mtime_field, 0);
  block.append_to(out);
  out += body;
  out.append(tar_padding(body.size()), '\0');
}

// Revision 3 of a capability names the root user of a namespace, which means nothing elsewhere: revision 2
// with the same bits takes its place.
std::string portable_capability(std::string_view raw) {
  std::string value(raw);
  constexpr std::size_t revision_byte = 3;
  constexpr std::size_t revision_2_size = 20;
  if (value.size() >= revision_2_size && value[revision_byte] == 3) {
    value[revision_byte] = 2;
    value.resize(revision_2_size);
  }
  return value;
}

}  // namespace

void append_tar_header(std::string& out, const tar_header& header) {
  record_map records;
  bool fits = true;  // into ustar
  const auto need = [&](std::string_view key, std::string value) {
    records.emplace(key, std::move(value));
    fits = false;
  };

  const bool long_name = header.name.size() > name_size || !is_ascii(header.name);
  const auto split = split_point(header.name);
  if (long_name) {
    records.emplace("path", std::string(header.name));
    if (!split) fits = false;
  }
  if (header.link.size() > name_size || !is_ascii(header.link)) need("linkpath", std::string(header.link));
  if (!fits_in_octal(size_field.size, header.size)) need("size", std::to_string(header.size));
  if (!fits_in_octal(uid_field.size, header.uid)) need("uid", std::to_string(header.uid));
  if (!fits_in_octal(gid_field.size, header.gid)) need("gid", std::to_string(header.gid));
  if (!fits_in_octal(mtime_field.size, header.mtime)) need("mtime", std::to_string(header.mtime));
  if (!header.capability.empty())
    need("SCHILY.xattr.security.capability", portable_capability(header.capability));
  if (!fits) append_pax_header(out, header.name, records);

  header_block block;
  if (fits) {
    if (split) {
      block.put(prefix_field, header.name.substr(0, *split));
      block.put(name_field, header.name.substr(*split + 1));
    } else {
      block.put(name_field, header.name);
    }
    block.put(link_field, header.link);
  } else {
    block.put(name_field, ascii_only(header.name));
    block.put(link_field, ascii_only(header.link));
  }
  block.put_type(static_cast<char>(header.type));
  block.put_octal(mode_field, header.mode);
  block.put_octal(uid_field, header.uid);
  block.put_octal(gid_field, header.gid);
  block.put_octal(size_field, header.size);
  block.put_octal(mtime_field, header.mtime < 0 ? 0 : static_cast<std::uint64_t>(header.mtime));
  block.put_octal(major_field, header.major);
  block.put_octal(minor_field, header.minor);
  block.append_to(out);
}

}  // namespace dockline::archive
