#include "gcp/random_name.hpp"

#include "core/encoding.hpp"
#include "core/random.hpp"

namespace dockline::gcp {

std::string random_name(std::string_view prefix) {
  return std::string(prefix) + encode_hex(random_bytes(16));
}

}  // namespace dockline::gcp
