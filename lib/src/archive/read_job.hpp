#pragma once

// One read of a source, carried out on an executor for work and completed where its handler wants it.

#include "dockline/core/byte_source.hpp"
#include "dockline/core/error.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>

namespace dockline::archive {

// Posts `work` to `executor` and completes `handler` with its outcome, on the handler's associated executor.
//
// Cancelled before it started, the read completes at once and `work` is never called. Cancelled later, `stop`
// is called, from the thread that cancels, and the read completes as soon as `work` returns: until then the
// block that it writes into is in use.
void start_read_job(const boost::asio::any_io_executor& executor, transfer_handler handler,
                    std::function<result<std::size_t>()> work, std::function<void()> stop);

}  // namespace dockline::archive
