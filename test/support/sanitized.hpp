#pragma once

// Whether this was compiled for the address or the thread sanitizer, which slow everything down and keep bytes of their
// own for each of the program's.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DOCKLINE_TEST_IS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DOCKLINE_TEST_IS_SANITIZED
#endif
#endif

namespace dockline::test {

#ifdef DOCKLINE_TEST_IS_SANITIZED
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace dockline::test
