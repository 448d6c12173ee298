#pragma once

#include "dockline/core/error.hpp"

namespace dockline::http {

// What an answer of this status, which is no success, means for every service that speaks HTTP.
error_code code_of_status(int status) noexcept;

}  // namespace dockline::http
