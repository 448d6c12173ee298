#pragma once

// The messages of a file transfer, in both directions: fsutil.types.Packet and its Stat.
// Source: tonistiigi/fsutil, types/wire.proto and types/stat.proto.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::buildkit {

enum class packet_type : std::uint8_t {
  stat = 0,     // describes a file; without one, ends the list
  request = 1,  // asks for the content of the file with that place in the list
  data = 2,     // a piece of it; an empty one ends it
  fin = 3,      // the receiver has all, the sender has understood
  error = 4     // `data` says why there will be nothing more
};

// The bits of Go's os.FileMode, which are not those of Unix.
namespace go_mode {
inline constexpr std::uint32_t directory = 1u << 31;
inline constexpr std::uint32_t symlink = 1u << 27;
inline constexpr std::uint32_t device = 1u << 26;
inline constexpr std::uint32_t named_pipe = 1u << 25;
inline constexpr std::uint32_t socket = 1u << 24;
inline constexpr std::uint32_t set_user_id = 1u << 23;
inline constexpr std::uint32_t set_group_id = 1u << 22;
inline constexpr std::uint32_t character_device = 1u << 21;
inline constexpr std::uint32_t sticky = 1u << 20;
inline constexpr std::uint32_t irregular = 1u << 19;
inline constexpr std::uint32_t permissions = 0777;
// Any of these: not a regular file.
inline constexpr std::uint32_t type =
    directory | symlink | device | named_pipe | socket | character_device | irregular;
}  // namespace go_mode

struct file_stat {
  file_stat() = default;

  std::string path;        // from the root, with "/"
  std::uint32_t mode = 0;  // of go_mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::string link;           // of a symbolic link; of a hard one: the path that was sent first
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
  std::vector<std::pair<std::string, std::string>> attributes;  // extended ones
};

struct packet {
  packet() = default;

  packet_type type = packet_type::stat;
  bool has_stat = false;
  file_stat stat;
  std::uint32_t id = 0;
  std::string_view data;  // lies in the message
};

// Reads a message. False: it is not a packet, or one with a path, link or attribute that no file system has
// (paths and links above 64 KiB, attributes above 256 or 1 MiB together).
bool read_packet(std::string_view message, packet& read);

// Each appends one message's bytes. A null `stat` ends the list.
void append_stat(std::string& out, const file_stat* stat);
void append_request(std::string& out, std::uint32_t id);
void append_fin(std::string& out);
void append_error(std::string& out, std::string_view words);

// The bytes before the content in a message that carries a piece of the file `id`; nothing for an empty
// piece, which is the whole message then.
void append_data_head(std::string& out, std::uint32_t id, std::size_t size);

// What the writing end of a file or archive gets: moby.filesync.v1.BytesMessage. False: not one.
bool read_bytes_message(std::string_view message, std::string_view& data);

}  // namespace dockline::buildkit
