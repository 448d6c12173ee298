#pragma once

#include "dockline/core/error.hpp"
#include "dockline/core/stream.hpp"

#include <boost/asio/any_completion_handler.hpp>

#include <functional>
#include <memory>

namespace dockline::engine {

// How a connector tells that it is done. It has an associated executor, and a cancellation slot, which the
// connect timeout emits as well.
using connect_handler = boost::asio::any_completion_handler<void(error_code, std::unique_ptr<stream>)>;

// A way to the daemon of the caller's own: a vsock, a tunnel, one end of a socket pair. Called for each
// connection that is needed, on the client's strand; calls the handler once, with a connected stream
// (dockline/core/make_stream.hpp makes one of any Asio socket) or an error, and never before it returned. A
// connection that is done with a request is used for the next one.
using connector = std::function<void(connect_handler)>;

}  // namespace dockline::engine
