// Whatever a daemon sends in a file transfer: what is read can be written and read again, and the sender
// answers only with what its protocol has.

#include "archive/disk.hpp"
#include "buildkit/file_sender.hpp"
#include "buildkit/packet.hpp"
#include "unit/archive/memory_disk.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace dockline;
using namespace dockline::buildkit;

void require(bool truth) {
  if (!truth) std::abort();
}

void check_packet(std::string_view message) {
  packet read;
  if (!read_packet(message, read) || !read.has_stat || read.stat.path.empty()) return;
  std::string again;
  append_stat(again, &read.stat);
  packet second;
  require(read_packet(again, second));
  require(second.stat.path == read.stat.path && second.stat.mode == read.stat.mode &&
          second.stat.size == read.stat.size && second.stat.modified == read.stat.modified &&
          second.stat.link == read.stat.link && second.stat.attributes == read.stat.attributes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  check_packet(input);
  std::string_view bytes;
  (void)read_bytes_message(input, bytes);

  // A conversation: messages with a byte of length before each.
  static archive::memory_disk files;
  if (files.root.children.empty()) {
    files.file("a/b", "text");
    files.file("c", std::string(1000, 'x'));
  }
  auto source = std::make_shared<file_source>();
  source->files = &files;
  file_sender sender(source, {});
  diagnostics why;
  std::size_t sent = 0;
  while (!input.empty()) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(input.front()));
    const std::string_view message = input.substr(1, length);
    input.remove_prefix(1 + message.size());
    if (sender.take(message, why)) break;
    message_batch batch;
    const auto left = sender.fill(batch, why);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      packet read;
      require(read_packet(batch[i], read));
      require(read.type != packet_type::request && read.type != packet_type::error);
      sent += read.data.size();
    }
    if (!left || *left == file_sender::state::over) break;
  }
  require(sent <= 1004);
  return 0;
}
