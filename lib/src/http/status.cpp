#include "http/status.hpp"

namespace dockline::http {

error_code code_of_status(int status) noexcept {
  switch (status) {
    case 400: return errc::bad_request;
    case 401: return errc::unauthorized;
    case 403: return errc::denied;
    case 404: return errc::not_found;
    case 405:
    case 406:
    case 501: return errc::not_acceptable;
    case 409:
    case 412: return errc::conflict;
    default: break;
  }
  if (status >= 500) return errc::service_failed;
  return status >= 400 ? errc::refused : errc::unexpected_answer;
}

}  // namespace dockline::http
