#pragma once

#include <cstddef>
#include <string>

namespace dockline {

// Bytes that nobody can guess, from the kernel's generator: OpenSSL's takes longer to start than a small build
// takes otherwise. Throws std::system_error where the kernel gives none.
std::string random_bytes(std::size_t count);

// 32 hexadecimal digits that nobody else has.
std::string random_id();

}  // namespace dockline
