#pragma once

#include <boost/asio/any_io_executor.hpp>

namespace dockline {

namespace asio = boost::asio;

// asio::make_strand() for executors without a type. The strand of one of those is larger than what an any_io_executor
// holds without an allocation, and Boost 1.81 copies executors in functions that may not throw: where there was no
// memory for a copy the process ended. Copies of this one allocate nothing.
asio::any_io_executor make_compact_strand(const asio::any_io_executor& executor);

}  // namespace dockline
