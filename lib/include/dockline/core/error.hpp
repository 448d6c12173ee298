#pragma once

// The error codes of the library, and the conditions that callers ask for.
//
// A code says precisely what happened; a condition says which kind it is, and is what a program branches on:
//
//     if (ec == dockline::condition::not_found) ...
//
// The words that go with a code (ours, and those of the other side) are in dockline::diagnostics.

#include "dockline/core/export.hpp"

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/error_condition.hpp>
#include <boost/system/result.hpp>

#include <type_traits>

namespace dockline {

// The error code that every operation completes with: of errc, of Asio, or of the operating system.
using error_code = boost::system::error_code;
using boost::system::result;

// What happened. A value never changes its number, so that a logged number keeps its meaning.
enum class errc {
  // Found here, before anything was sent.
  invalid_argument = 1,       // an option's value breaks a rule; the diagnostics name the option and the rule
  invalid_pattern = 2,        // a line of an ignore file is not a pattern
  invalid_reference = 3,      // not an image reference
  invalid_address = 4,        // not an address of a daemon
  no_such_directory = 5,      // the context is not there, or is no directory
  no_dockerfile = 6,          // the Dockerfile is not there
  unsupported_parameter = 7,  // the negotiated API version lacks what was asked for
  bad_configuration = 8,      // a file of the user's settings cannot be read or understood

  // The context, while it was walked and packed.
  unreadable_file = 20,  // a file or directory of the context cannot be read
  file_changed = 21,     // a file shrank, grew or vanished while it was packed

  // What comes back.
  cannot_write = 30,  // a result cannot be written where it should go

  // The way to the other side.
  cannot_connect = 40,   // nothing answers at the address
  no_permission = 41,    // the socket is there but may not be opened
  connection_lost = 42,  // the peer went away before its answer was whole
  timed_out = 43,        // a deadline passed
  tls_failed = 44,       // a certificate is refused, or the other side speaks no TLS
  no_credentials = 46,   // of a cloud: none were found
  token_refused = 47,    // by the server that gives access tokens for credentials

  // What the other side sent.
  malformed_http = 60,     // not HTTP/1.1
  malformed_json = 61,     // a message that should be JSON is not
  message_too_long = 62,   // a head, line or message above its limit
  unexpected_answer = 63,  // well-formed, but not what this request is answered with
  no_outcome = 64,         // a stream that ended with neither a result nor an error
  malformed_stream = 65,   // a frame of an attached stream that cannot be one
  malformed_http2 = 66,    // not HTTP/2, or frames that break its rules
  malformed_message = 67,  // a gRPC message that cannot be read

  // What the other side said. The diagnostics carry its words.
  bad_request = 80,       // 400
  unauthorized = 81,      // 401, or a registry that wants other credentials
  denied = 82,            // 403
  not_found = 83,         // 404
  not_acceptable = 84,    // 405, 406, 501
  conflict = 85,          // 409, 412
  service_failed = 86,    // 5xx
  refused = 87,           // any other status of 400 or more
  version_too_old = 88,   // the daemon and this library have no API version in common
  build_failed = 100,     // the build was run and failed; diagnostics::step() may say where
  operation_failed = 101  // an error inside the body of a 200: of a push, pull or load
};

// Which kind of thing happened. Compare error codes with these.
enum class condition {
  cancelled = 1,     // by the caller
  timed_out,         // a deadline of the caller's passed, or the connection's
  invalid_argument,  // bad input, found here before anything was sent, or refused with a 400
  bad_context,       // the context could not be read as it was
  unreachable,       // nothing there, no permission, or it went away before it answered
  not_found,         // the daemon, or a registry, does not have it
  conflict,          // it is in use, runs, or has the name already
  unauthorized,      // credentials are missing or wrong
  denied,            // credentials are right, and not enough
  unsupported,       // by this daemon or this API version
  build_failed,      // the build was run and failed
  service_failed,    // the other side says that it failed
  peer_misbehaved,   // what the other side sent breaks its protocol
  bad_output,        // a result could not be written on this side
};

// The category of errc, named "dockline".
DOCKLINE_API const boost::system::error_category& error_category() noexcept;

// The category of condition, named "dockline.condition". Its conditions match codes of errc and, where they
// mean the same, codes of Asio and of the operating system.
DOCKLINE_API const boost::system::error_category& condition_category() noexcept;

// Lets an errc become an error_code by itself.
inline error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

// Lets a condition be compared with an error_code by itself.
inline boost::system::error_condition make_error_condition(condition kind) noexcept {
  return {static_cast<int>(kind), condition_category()};
}

}  // namespace dockline

namespace boost::system {
template <>
struct is_error_code_enum<dockline::errc> : std::true_type {};
template <>
struct is_error_condition_enum<dockline::condition> : std::true_type {};
}  // namespace boost::system
