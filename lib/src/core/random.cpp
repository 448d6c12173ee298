#include "core/random.hpp"

#include "core/encoding.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace dockline {

std::string random_bytes(std::size_t count) {
  constexpr std::size_t most_at_once = 256;  // getentropy(3)
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count; done += most_at_once) {
    if (::getentropy(bytes.data() + done, std::min(most_at_once, count - done)) != 0)
      throw std::system_error(errno, std::system_category(), "no random bytes");
  }
  return bytes;
}

std::string random_id() { return encode_hex(random_bytes(16)); }

}  // namespace dockline
