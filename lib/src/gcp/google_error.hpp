#pragma once

// What Google's services answer when they refuse, and what that means, without I/O.

#include "dockline/core/error.hpp"

#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::gcp {

// The words of a refusal, whichever of Google's shapes it has: {"error":{"code","message","status","errors"}}
// with any of these missing or of another type, OAuth's {"error","error_description"}, XML, plain text.
struct google_error {
  google_error() = default;

  std::string reason;   // for programs: "INVALID_ARGUMENT", "backendError", "invalid_grant"; may be empty
  std::string subtype;  // OAuth's: "invalid_rapt"
  std::string message;  // for people; may be empty
};
google_error read_google_error(std::string_view body);

// The code of an answer that is no success, with the service's words. `service` is what they are whose.
error_code code_of_answer(int status, std::string_view body, std::string_view service, diagnostics& why);

// Whether the same request may be answered otherwise in a moment.
bool is_transient(int status) noexcept;
// Whether the way to the service failed, and not what was asked.
bool is_transient(const error_code& code) noexcept;

}  // namespace dockline::gcp
