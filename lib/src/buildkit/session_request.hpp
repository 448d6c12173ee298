#pragma once

#include "engine/endpoint.hpp"

#include <string_view>
#include <vector>

namespace dockline::buildkit {

// The request that makes a connection a session: its id and name, the key of the files' place, and each
// method that may be called. Errors: errc::invalid_argument for what does not go into a header.
result<engine::endpoint> session_request(std::string_view id, std::string_view name,
                                         std::string_view shared_key, const std::vector<std::string>& methods,
                                         diagnostics& why);

}  // namespace dockline::buildkit
