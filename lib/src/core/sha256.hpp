#pragma once

#include <string>
#include <string_view>

namespace dockline {

// The SHA-256 of a text, 32 bytes. Unlike OpenSSL's EVP it does not start OpenSSL, which takes longer than a small
// build takes otherwise; a large content is faster with that (archive/content_digest.hpp).
std::string sha256(std::string_view bytes);

// HMAC (RFC 2104) with it, 32 bytes. Empty where OpenSSL, which this starts, fails.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace dockline
