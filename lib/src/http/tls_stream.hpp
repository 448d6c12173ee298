#pragma once

#include "dockline/core/stream.hpp"

#include "core/spawn.hpp"
#include "http/tls_session.hpp"

#include <memory>
#include <string>

namespace dockline::http {

// Speaks TLS on a connected stream, whatever carries it, and returns when both sides know each other.
// Cancellation closes it. Errors: errc::tls_failed, errc::connection_lost; `why` has the bare reason.
task<std::unique_ptr<stream>> secure(std::unique_ptr<stream> below, asio::any_io_executor executor,
                                     std::shared_ptr<const tls_context> context, std::string host,
                                     diagnostics& why);

}  // namespace dockline::http
