#pragma once

// An allocation that fails. A program that links failing_memory.cpp has its operator new.

#include <cstddef>

namespace dockline::test {

// While it lives, one allocation of this thread throws std::bad_alloc: of those of `at_least` bytes the one after
// `before` others.
class failing_allocation {
 public:
  failing_allocation(std::size_t at_least, long before) noexcept;
  ~failing_allocation();
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;

  // Whether it came to that.
  bool happened() const noexcept;
};

}  // namespace dockline::test
