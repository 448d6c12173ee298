#pragma once

// Operations that are one request and one answer: the request is made, the answer read as JSON, and what it
// says taken out by a function of the endpoint's own.

#include "dockline/core/diagnostics.hpp"

#include "engine/answers.hpp"
#include "engine/client_state.hpp"

#include <memory>
#include <utility>

namespace dockline::engine {

task<json_answer> call_json(std::shared_ptr<client_state> state, endpoint what, diagnostics& why);

// For endpoints whose answer says nothing but its status.
task<void> command(std::shared_ptr<client_state> state, endpoint what, diagnostics& why);
void start_command(const client& daemon, endpoint what, diagnostics* why, completion_handler<void> handler);

template <class T, class Read>
task<T> ask(std::shared_ptr<client_state> state, endpoint what, Read read, diagnostics& why) {
  auto reply = co_await call_json(std::move(state), std::move(what), why);
  if (!reply) co_return reply.error();
  co_return read(*reply);
}

// Starts an operation whose request is known: `read` makes a T of a json_answer.
template <class T, class Read>
void start_ask(const client& daemon, endpoint what, Read read, diagnostics* why,
               completion_handler<T> handler) {
  auto state = daemon.state();
  spawn<T>(state->strand, why, std::move(handler),
           [state, what = std::move(what), read](diagnostics& words) mutable {
             return ask<T>(state, std::move(what), read, words);
           });
}

template <class T, class Make, class Read>
task<T> ask_versioned(std::shared_ptr<client_state> state, Make make, Read read, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  result<endpoint> what = make(*version, why);
  if (!what) co_return what.error();
  auto answered = co_await ask<T>(std::move(state), std::move(*what), read, why);
  co_return answered;
}

// The same where the version has a say: `make` makes a result<endpoint> of a version and diagnostics.
template <class T, class Make, class Read>
void start_ask_versioned(const client& daemon, Make make, Read read, diagnostics* why,
                         completion_handler<T> handler) {
  auto state = daemon.state();
  spawn<T>(state->strand, why, std::move(handler),
           [state, make = std::move(make), read](diagnostics& words) mutable {
             return ask_versioned<T>(state, std::move(make), read, words);
           });
}

}  // namespace dockline::engine
