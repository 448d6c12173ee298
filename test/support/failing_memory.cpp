#include "support/failing_memory.hpp"

#include "support/sanitized.hpp"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr long none = -1;

// How many allocations of this thread, and of all threads, succeed before one that does not.
thread_local long left = none;
std::atomic<long> left_of_all = none;

// What is looked for in blocks that are given back, and in how many it was.
std::atomic<const char*> looked_for = nullptr;
std::atomic<std::size_t> looked_for_size = 0;
std::atomic<int> found_in = 0;
thread_local bool left_out = false;

}  // namespace

#ifndef DOCKLINE_TEST_FOREIGN_NEW

// glibc's own, below the names that a program may define itself. The address sanitizer defines those.
#if defined(__GLIBC__) && !defined(DOCKLINE_TEST_IS_SANITIZED)
#define DOCKLINE_TEST_OWN_MALLOC
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
}
#define DOCKLINE_TEST_MALLOC __libc_malloc
#else
#define DOCKLINE_TEST_MALLOC std::malloc
#endif

namespace {

bool is_the_one_of_all() noexcept {
  long seen = left_of_all;
  while (seen != none) {
    if (left_of_all.compare_exchange_weak(seen, seen - 1)) return seen == 0;
  }
  return false;
}

bool is_the_one_of_this_thread() noexcept { return left != none && left-- == 0; }

bool is_the_one() noexcept {
  return is_the_one_of_this_thread() || (left_of_all != none && is_the_one_of_all());
}

void* allocate(std::size_t size) noexcept {
  void* const memory = DOCKLINE_TEST_MALLOC(size > 0 ? size : 1);
  // What somebody else left there would be found.
  if (memory != nullptr && looked_for != nullptr) std::memset(memory, 0, ::malloc_usable_size(memory));
  return memory;
}

void give_back(void* memory) noexcept {
  if (const char* const text = looked_for; text != nullptr && memory != nullptr && !left_out) {
    if (::memmem(memory, ::malloc_usable_size(memory), text, looked_for_size) != nullptr) ++found_in;
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (is_the_one()) throw std::bad_alloc();
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return is_the_one() ? nullptr : allocate(size);
}

// Asio takes the memory of its operations, handlers and coroutines here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  void* memory = nullptr;
  if (is_the_one_of_this_thread() || ::posix_memalign(&memory, alignment, size) != 0) return nullptr;
  return memory;
}

#ifdef DOCKLINE_TEST_OWN_MALLOC

// And the libraries that are written in C theirs here.
extern "C" void* malloc(std::size_t size) noexcept {
  if (!is_the_one_of_this_thread()) return __libc_malloc(size);
  errno = ENOMEM;
  return nullptr;
}

extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
  if (!is_the_one_of_this_thread()) return __libc_calloc(count, size);
  errno = ENOMEM;
  return nullptr;
}

extern "C" void* realloc(void* memory, std::size_t size) noexcept {
  if (!is_the_one_of_this_thread()) return __libc_realloc(memory, size);
  errno = ENOMEM;
  return nullptr;
}

#endif

void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }

#endif

namespace dockline::test {

failing_allocation::failing_allocation(long before, threads whose) noexcept : whose_(whose) {
  if (whose_ == threads::all)
    left_of_all = before;
  else
    left = before;
}

failing_allocation::~failing_allocation() {
  if (whose_ == threads::all)
    left_of_all = none;
  else
    left = none;
}

bool failing_allocation::happened() const noexcept {
  return whose_ == threads::all ? left_of_all == none : left == none;
}

freed_memory_watch::freed_memory_watch(std::string_view text) noexcept {
  found_in = 0;
  looked_for_size = text.size();
  looked_for = text.data();
}

freed_memory_watch::~freed_memory_watch() { looked_for = nullptr; }
int freed_memory_watch::found() const noexcept { return found_in; }
void freed_memory_watch::leave_out_this_thread() noexcept { left_out = true; }

}  // namespace dockline::test
