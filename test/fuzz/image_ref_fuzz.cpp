// Whatever stands for an image, it is read or refused with words; what was read is written in full, and reads
// as the same.

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  diagnostics why;
  auto read = engine::parse_image_ref(text, why);
  if (read.has_value() != why.empty()) std::abort();
  if (!read) {
    if (read.error() != errc::invalid_reference) std::abort();
    if (!why.client_message().starts_with("image reference \"")) std::abort();
    return 0;
  }
  const std::string whole = engine::to_string(*read);
  // It goes into a request's target and into a Dockerfile.
  if (whole.find_first_of(" \t\r\n\"'$`\\?#&%") != whole.npos) std::abort();
  const auto again = engine::parse_image_ref(whole, why);
  if (read->tag.empty() && read->digest.empty()) read->tag = "latest";
  if (!again || *again != *read) std::abort();
  return 0;
}
