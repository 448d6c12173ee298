// However bytes are cut, the messages in them are the same, and so is the error: gRPC's messages, and those
// of ssh agents. What is percent-encoded comes back as it was.

#include "buildkit/agent_messages.hpp"
#include "grpc/metadata.hpp"
#include "grpc/status.hpp"
#include "grpc/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dockline;

struct outcome {
  std::vector<std::string> messages;
  error_code failure;

  bool operator==(const outcome&) const = default;
};

template <class Decoder>
outcome take_apart(Decoder decoder, std::string_view bytes, std::size_t chunk_size) {
  outcome seen;
  while (!bytes.empty()) {
    const std::string own(bytes.substr(0, chunk_size));
    bytes.remove_prefix(own.size());
    for (std::string_view chunk = own; !chunk.empty();) {
      const auto eaten = decoder.eat(chunk);
      if (!eaten) {
        seen.failure = eaten.error();
        if (decoder.finish() != seen.failure) std::abort();
        return seen;
      }
      if (*eaten == 0 || *eaten > chunk.size()) std::abort();
      chunk.remove_prefix(*eaten);
      if (decoder.done()) seen.messages.push_back(decoder.take());
    }
  }
  seen.failure = decoder.finish();
  return seen;
}

template <class Decoder>
void compare(const Decoder& decoder, std::string_view bytes) {
  const outcome whole = take_apart(decoder, bytes, bytes.size());
  if (take_apart(decoder, bytes, 1) != whole || take_apart(decoder, bytes, 7) != whole) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  compare(grpc::message_decoder(1000), bytes);
  compare(buildkit::agent_messages(), bytes);
  if (grpc::decode_message(grpc::encode_message(bytes)) != bytes) std::abort();
  (void)grpc::decode_message(bytes);
  (void)grpc::parse_status_code(bytes);
  if (const auto timeout = grpc::parse_timeout(bytes)) {
    if (*grpc::parse_timeout(grpc::encode_timeout(*timeout)) < *timeout && timeout->count() < INT64_MAX)
      std::abort();
  }
  return 0;
}
