#pragma once

#include "dockline/core/error.hpp"

#include <boost/system/system_category.hpp>

#include <cerrno>

namespace dockline {

// What the system call that failed just now says.
inline error_code last_error() { return {errno, boost::system::system_category()}; }

}  // namespace dockline
