#pragma once

// What a daemon, and Google's services, answer when all goes well: a short answer for each request of the table of
// operations, with values that its rows know.

#include "support/fake_daemon.hpp"

#include <string>
#include <string_view>

namespace dockline::test {

inline const std::string told_id(64, 'a');  // of images, containers and programs
inline const std::string told_digest = "sha256:" + std::string(64, 'd');
inline constexpr std::string_view told_time = "2026-01-02T03:04:05Z";

// Answers the request whose head was just read, and whose body was read as well. False when the connection was
// taken over for something else and is of no more use.
bool answer_with_success(peer& client, const seen_request& request);

}  // namespace dockline::test
