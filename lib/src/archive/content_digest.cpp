#include "archive/content_digest.hpp"

#include "core/encoding.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>
#include <string_view>

namespace dockline::archive {

void content_digest::deleter::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

content_digest::content_digest() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

content_digest::~content_digest() = default;

void content_digest::add(std::span<const char> bytes) noexcept {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string content_digest::finish() {
  std::array<char, 32> digest{};
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return encode_hex(std::string_view(digest.data(), digest.size()));
}

}  // namespace dockline::archive
