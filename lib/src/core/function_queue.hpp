#pragma once

// Functions that wait to be called, first in, first out, in lists that need no memory of their own.

#include <boost/asio/recycling_allocator.hpp>
#include <boost/intrusive/slist.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace dockline {

namespace asio = boost::asio;

class queued_function : public boost::intrusive::slist_base_hook<> {
 public:
  queued_function(const queued_function&) = delete;
  queued_function& operator=(const queued_function&) = delete;

  // Each of these is the end of the object. What the function throws comes out of call(). The memory is given back
  // before, so that a function that queues the next one finds it.
  virtual void call() = 0;
  virtual void drop() noexcept = 0;

  std::uint64_t number = 0;  // for whoever has to find it again

 protected:
  queued_function() = default;
  ~queued_function() = default;
};

struct drop_function {
  void operator()(queued_function* one) const noexcept { one->drop(); }
};
using function_ptr = std::unique_ptr<queued_function, drop_function>;

template <class Function>
function_ptr make_queued_function(Function function) {
  static_assert(std::is_nothrow_move_constructible_v<Function>);
  class queued final : public queued_function {
   public:
    explicit queued(Function&& what) noexcept : function_(std::move(what)) {}
    void call() override {
      Function function(std::move(function_));
      drop();
      function();
    }
    void drop() noexcept override {
      std::destroy_at(this);
      asio::recycling_allocator<queued>().deallocate(this, 1);
    }

   private:
    Function function_;
  };
  return function_ptr(
      std::construct_at(asio::recycling_allocator<queued>().allocate(1), std::move(function)));
}

class function_queue {
 public:
  function_queue() = default;
  function_queue(function_queue&&) noexcept = default;
  function_queue& operator=(function_queue&&) = delete;
  ~function_queue() {
    while (!empty()) pop();
  }

  bool empty() const noexcept { return functions_.empty(); }

  void push(function_ptr one) noexcept { functions_.push_back(*one.release()); }
  void push(function_queue&& others) noexcept { functions_.splice(functions_.end(), others.functions_); }
  void push_front(function_queue&& others) noexcept {
    functions_.splice(functions_.begin(), others.functions_);
  }

  function_ptr pop() noexcept {
    function_ptr first(&functions_.front());
    functions_.pop_front();
    return first;
  }
  // Null where it is not there any more.
  function_ptr remove(std::uint64_t number) noexcept {
    const auto found = std::find_if(functions_.begin(), functions_.end(),
                                    [number](const queued_function& one) { return one.number == number; });
    if (found == functions_.end()) return nullptr;
    function_ptr one(&*found);
    functions_.erase(found);
    return one;
  }

 private:
  boost::intrusive::slist<queued_function, boost::intrusive::cache_last<true>,
                          boost::intrusive::constant_time_size<false>>
      functions_;
};

}  // namespace dockline
