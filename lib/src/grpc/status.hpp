#pragma once

// How a call ended, in gRPC's words, and how that is written in trailers.

#include "dockline/core/error.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace dockline::grpc {

// The numbers are those on the wire.
enum class status_code {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16
};

// The name of a code as gRPC writes it: "NotFound".
std::string_view name_of(status_code code) noexcept;

struct status {
  status() = default;
  status(status_code what, std::string words) : code(what), message(std::move(words)) {}

  status_code code = status_code::ok;
  std::string message;  // for people at the other side; any UTF-8

  bool ok() const noexcept { return code == status_code::ok; }
  bool operator==(const status&) const = default;
};

// The status that tells the other side of an error of ours: cancelled, deadline_exceeded, not_found and so
// on by the condition of the code. `words` is the message; empty: what the code says.
status status_of(error_code code, std::string words = {});

// The value of grpc-message: UTF-8 with a "%" and two digits for all but printable ASCII, and for '%'.
std::string encode_message(std::string_view text);
// The way back. What is no proper escape stays as it is, as the protocol asks for.
std::string decode_message(std::string_view text);

// The value of grpc-status: a number; one that is none, or unknown, is status_code::unknown.
status_code parse_status_code(std::string_view text) noexcept;

}  // namespace dockline::grpc
