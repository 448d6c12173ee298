// However an answer is cut, it gives the same head and body, or an error, and nothing but a body is held
// beyond the limit.

#include "http/message.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

constexpr std::uint32_t limit = 256;

struct outcome {
  error_code failure;
  bool done = false;
  bool keep_alive = false;
  std::string head;
  std::string body;
  std::string left;

  bool operator==(const outcome&) const = default;
};

void require(bool truth) {
  if (!truth) std::abort();
}

// As an exchange does it: what was not eaten is offered again with more behind it.
outcome decode(std::string_view bytes, std::size_t chunk_size) {
  http::decoder_limits bounds;
  bounds.head = limit;
  http::response_decoder decoder(bounds);
  outcome seen;
  std::string input;
  while (!bytes.empty()) {
    input += bytes.substr(0, chunk_size);
    bytes.remove_prefix(std::min(chunk_size, bytes.size()));
    const auto eaten = decoder.eat(boost::asio::buffer(input), seen.body);
    if (!eaten) {
      seen.failure = eaten.error();
      // What came before the mistake depends on the cuts, and counts for nothing.
      seen.body.clear();
      return seen;
    }
    require(*eaten <= input.size());
    input.erase(0, *eaten);
    require(decoder.done() || input.size() <= limit);
  }
  if (const auto over = decoder.eat_end(); !over) seen.failure = over.error();
  seen.done = decoder.done();
  require(seen.done != static_cast<bool>(seen.failure));
  if (seen.done) {
    require(decoder.head_done());
    seen.keep_alive = decoder.keep_alive();
    seen.left = input;
  }
  if (decoder.head_done()) {
    const auto& head = decoder.head();
    require(head.status / 100 != 1 || head.status == 101);
    seen.head = std::to_string(head.status) + head.reason + '\n';
    for (const auto& [name, value] : head.fields) seen.head += name + ':' + value + '\n';
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const outcome whole = decode(bytes, bytes.size());
  for (const std::size_t chunk_size : {1u, 5u, 300u}) {
    const outcome seen = decode(bytes, chunk_size);
    // Beast finds some mistakes sooner in a whole text than in pieces of it; it is an error in any case.
    require((seen.failure && whole.failure) || seen == whole);
  }
  return 0;
}
