#pragma once

// What the tests that go over all operations have in common.

#include "exchange/conversation.hpp"
#include "exchange/operation_table.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <string>
#include <utility>

namespace dockline::test {

// Starts one operation with a handler, whatever is associated with that.
template <class Handler>
void start(const operation& what, scene& on, diagnostics* why, Handler handler) {
  what.with->start(on, why, completion_handler<void>(std::move(handler)));
}

inline void run_to_end(asio::io_context& context) {
  context.restart();
  context.run_for(patience);
  CHECK(context.stopped());
}

// What an operation of the table comes to with a plain callback.
inline error_code outcome_of(const operation& what, const stage& where, diagnostics* why = nullptr) {
  asio::io_context context;
  scene on(where, context.get_executor());
  int completions = 0;
  error_code code;
  start(what, on, why, [&](error_code seen) {
    ++completions;
    code = seen;
  });
  CHECK(completions == 0);
  run_to_end(context);
  CHECK(completions == 1);
  return code;
}

// That the clients of an operation that is over are of use: the daemon has to speak.
inline void check_of_use(const operation& what, asio::io_context& context, scene& on) {
  int completions = 0;
  error_code code = asio::error::operation_aborted;
  what.look(on, [&](error_code seen) {
    ++completions;
    code = seen;
  });
  run_to_end(context);
  CHECK(completions == 1);
  CHECK(code == error_code());
}

// Runs a coroutine to its end.
template <class Body>
void in_loop(asio::io_context& context, Body body) {
  bool done = false;
  asio::co_spawn(context, std::move(body), [&](std::exception_ptr failure) {
    CHECK_FALSE(failure);
    done = true;
  });
  run_to_end(context);
  CHECK(done);
}

}  // namespace dockline::test
