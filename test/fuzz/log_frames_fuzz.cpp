// However a stream is cut, it gives the same bytes of each stream in the same order, and the same error.

#include "engine/log_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

struct outcome {
  std::string written;  // each byte after the number of its stream
  error_code failure;

  bool operator==(const outcome&) const = default;
};

outcome take_apart(std::string_view bytes, std::size_t chunk_size) {
  outcome seen;
  engine::log_frames frames;
  while (!bytes.empty()) {
    const std::string chunk(bytes.substr(0, chunk_size));
    bytes.remove_prefix(chunk.size());
    frames.feed(chunk);
    for (;;) {
      const auto piece = frames.next();
      if (!piece) {
        seen.failure = piece.error();
        if (frames.finish() != seen.failure) std::abort();
        return seen;
      }
      if (!*piece) break;
      if ((*piece)->bytes.empty()) std::abort();
      for (const char byte : (*piece)->bytes) {
        seen.written += (*piece)->stream == progress::output_stream::out ? '1' : '2';
        seen.written += byte;
      }
    }
  }
  seen.failure = frames.finish();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const outcome whole = take_apart(bytes, bytes.size());
  if (take_apart(bytes, 1) != whole || take_apart(bytes, 5) != whole) std::abort();
  return 0;
}
