#pragma once

// What passes between this library and the other side, told to whoever looks for a mistake.

#include "dockline/core/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace dockline::http {

// How far a request and its answer have come.
enum class exchange_phase {
  request,  // its head was made, and is about to go out
  answer,   // the head of the answer is there
  over      // the answer is whole, the connection was handed over to the caller, or something failed
};

// A request or its answer, as far as it has come.
struct exchange_event {
  exchange_event() = default;

  std::uint64_t number = 0;  // counts a client's requests; one that is sent anew keeps its number
  exchange_phase phase = exchange_phase::request;  // how far it has come
  // The first line and the fields, "\n" behind each. In place of what is or might be a secret stands "***":
  // the value of every field of a request that is not known to be harmless, passwords in addresses, and build
  // arguments whose name says that they are secret. Empty when it is over.
  std::string head;
  std::uint64_t sent = 0;      // bytes of the request's body so far, without framing; they are told nowhere
  std::uint64_t received = 0;  // the same of the answer's
  std::chrono::nanoseconds elapsed{};  // since `request`
  error_code outcome;                  // when it is over; operation_aborted: it was not wanted any more
};

// Called where the connection is worked on, one call at a time; must not throw.
using exchange_observer = std::function<void(const exchange_event&)>;

}  // namespace dockline::http
