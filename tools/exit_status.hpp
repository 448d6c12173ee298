#pragma once

#include <dockline/core/error.hpp>

namespace dockline::tool {

// What the shell sees. `run` passes the container's status on instead.
enum class exit_status : int {
  done = 0,
  failed = 1,        // the build or operation failed
  usage = 2,         // bad usage, or bad input found before anything was sent
  unreachable = 3,   // the daemon or service cannot be reached
  not_run = 125,     // `run`: dockline itself failed
  interrupted = 130  // by SIGINT or SIGTERM
};

// The status for an operation that ended with this code.
inline exit_status status_of(error_code code) {
  if (!code) return exit_status::done;
  if (code == condition::cancelled) return exit_status::interrupted;
  if (code == condition::unreachable || code == condition::timed_out) return exit_status::unreachable;
  // A service whose door is closed is as good as out of reach.
  if (code == errc::no_credentials || code == errc::token_refused) return exit_status::unreachable;
  // A 400 is bad input as well, but the daemon was asked.
  if (code == condition::invalid_argument && code != errc::bad_request) return exit_status::usage;
  return exit_status::failed;
}

}  // namespace dockline::tool
