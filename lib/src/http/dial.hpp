#pragma once

#include "dockline/core/stream.hpp"
#include "dockline/http/address.hpp"

#include "core/spawn.hpp"

#include <chrono>
#include <memory>

namespace dockline::http {

// Connects to `where`; the stream works on `executor`. A `deadline` of zero is none.
// Errors: errc::cannot_connect, errc::no_permission, errc::timed_out, with address, reason and cure in `why`.
task<std::unique_ptr<stream>> dial(asio::any_io_executor executor, address where,
                                   std::chrono::milliseconds deadline, diagnostics& why);

}  // namespace dockline::http
