// Whatever a build says to an ssh agent, or an agent to a build: however the bytes are cut, the messages are the same,
// each is as long as it says, and only two kinds of request get through.

#include "buildkit/agent_messages.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dockline;

void require(bool truth) {
  if (!truth) std::abort();
}

struct reading {
  std::vector<std::string> messages;
  error_code end;

  bool operator==(const reading&) const = default;
};

reading read(std::string_view bytes, std::size_t piece) {
  reading seen;
  buildkit::agent_messages decoder;
  while (!bytes.empty()) {
    std::string_view some = bytes.substr(0, piece);
    bytes.remove_prefix(some.size());
    while (!some.empty()) {
      const auto eaten = decoder.eat(some);
      if (!eaten) {
        require(decoder.finish() == eaten.error() && !decoder.eat(some));
        seen.end = eaten.error();
        return seen;
      }
      require(*eaten > 0 && *eaten <= some.size());
      some.remove_prefix(*eaten);
      if (decoder.done()) seen.messages.push_back(decoder.take());
    }
  }
  seen.end = decoder.finish();
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const reading whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  require(read(bytes, 1 + data[0]) == whole);
  std::string together;
  for (const std::string& message : whole.messages) {
    together += message;
    require(message.size() > 4);
    const bool harmless = message[4] == 11 || message[4] == 13;
    require(buildkit::is_allowed(message) == harmless);
  }
  require(bytes.starts_with(together));
  require(whole.end || together.size() == bytes.size());
  require(!buildkit::is_allowed(buildkit::agent_failure()));
  return 0;
}
