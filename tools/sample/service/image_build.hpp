#pragma once

// One build for one client: what dockline is asked to do, and what the client is told of it.

#include "answer.hpp"
#include "service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <memory>
#include <optional>
#include <string>

namespace sample {

// Builds what `body` asks for. What is wrong with it is found before anything is built, and is a reply. Nothing
// is left to reply where a build was begun: the client has had its events, and the connection is closed.
asio::awaitable<std::optional<reply>> build_for_client(std::shared_ptr<service> shared,
                                                       beast::tcp_stream& client, std::string body);

}  // namespace sample
