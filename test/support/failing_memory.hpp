#pragma once

// An allocation that fails, and a look at memory that is given back. A program that links failing_memory.cpp has its
// operator new and operator delete, its aligned_alloc, and mostly its malloc.

#include <string_view>

namespace dockline::test {

// Whether that is so: clang's thread sanitizer insists on its own, and nothing here happens.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DOCKLINE_TEST_FOREIGN_NEW
#endif
#endif
#ifdef DOCKLINE_TEST_FOREIGN_NEW
inline constexpr bool has_own_new = false;
#else
inline constexpr bool has_own_new = true;
#endif

enum class threads { this_one, all };

// While it lives, one allocation fails: the one after `before` others. In this thread that is one of operator new, of what
// Asio takes for itself, or, but under a sanitizer, of malloc; in whichever thread comes to it one of operator new. One at
// a time.
class failing_allocation {
 public:
  explicit failing_allocation(long before, threads whose = threads::this_one) noexcept;
  ~failing_allocation();
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;

  // Whether it came to that.
  bool happened() const noexcept;

 private:
  const threads whose_;
};

// While it lives, counts the blocks that are given back to operator delete and hold `text`, in all threads but those that
// were left out. One at a time; the text stays, and is in no such block itself.
class freed_memory_watch {
 public:
  explicit freed_memory_watch(std::string_view text) noexcept;
  ~freed_memory_watch();
  freed_memory_watch(const freed_memory_watch&) = delete;
  freed_memory_watch& operator=(const freed_memory_watch&) = delete;

  int found() const noexcept;

  // For a thread that plays the other side.
  static void leave_out_this_thread() noexcept;
};

}  // namespace dockline::test
