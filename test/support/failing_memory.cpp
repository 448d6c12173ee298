#include "support/failing_memory.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constexpr long none = -1;

// How many allocations of this thread succeed before one that does not.
thread_local long left = none;

thread_local std::size_t least = 0;

bool is_the_one(std::size_t size) noexcept {
  if (left == none || size < least) return false;
  return left-- == 0;
}

}  // namespace

// A sanitizer sees malloc() and free() below these.

void* operator new(std::size_t size) {
  if (is_the_one(size)) throw std::bad_alloc();
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return is_the_one(size) ? nullptr : std::malloc(size > 0 ? size : 1);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace dockline::test {

failing_allocation::failing_allocation(std::size_t at_least, long before) noexcept {
  least = at_least;
  left = before;
}

failing_allocation::~failing_allocation() { left = none; }
bool failing_allocation::happened() const noexcept { return left == none; }

}  // namespace dockline::test
