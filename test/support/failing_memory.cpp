#include "support/failing_memory.hpp"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr long none = -1;

// How many allocations of this thread, and of all threads, succeed before one that does not.
thread_local long left = none;
std::atomic<long> left_of_all = none;

thread_local std::size_t least = 0;
std::atomic<std::size_t> least_of_all = 0;

// What is looked for in blocks that are given back, and in how many it was.
std::atomic<const char*> looked_for = nullptr;
std::atomic<std::size_t> looked_for_size = 0;
std::atomic<int> found_in = 0;
thread_local bool left_out = false;

}  // namespace

#ifndef DOCKLINE_TEST_FOREIGN_NEW

namespace {

bool is_the_one_of_all() noexcept {
  long seen = left_of_all;
  while (seen != none) {
    if (left_of_all.compare_exchange_weak(seen, seen - 1)) return seen == 0;
  }
  return false;
}

bool is_the_one(std::size_t size) noexcept {
  if (left != none && size >= least && left-- == 0) return true;
  return left_of_all != none && size >= least_of_all && is_the_one_of_all();
}

void* allocate(std::size_t size) noexcept {
  void* const memory = std::malloc(size > 0 ? size : 1);
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

// The address sanitizer sees malloc() and free() below these.

void* operator new(std::size_t size) {
  if (is_the_one(size)) throw std::bad_alloc();
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return is_the_one(size) ? nullptr : allocate(size);
}

void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }

#endif

namespace dockline::test {

failing_allocation::failing_allocation(std::size_t at_least, long before, threads whose) noexcept
    : whose_(whose) {
  if (whose_ == threads::all) {
    least_of_all = at_least;
    left_of_all = before;
  } else {
    least = at_least;
    left = before;
  }
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
