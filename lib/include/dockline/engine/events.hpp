#pragma once

// What happens on the daemon: GET /events.

#include "dockline/engine/client.hpp"
#include "dockline/engine/filters.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::engine {

// Which events are told.
struct events_options {
  events_options() = default;

  // "type" ("container", "image", "volume", "network", …), "event" ("start", "die", …), "container", "image",
  // "label", "daemon", "scope", …
  filter_map filters;
  // From when on; what is in the daemon's memory of that time comes first. Empty: from now on.
  std::optional<std::chrono::system_clock::time_point> since;
  // Until when; the stream ends then or less than a second later, of podman two seconds. Empty: it never does.
  std::optional<std::chrono::system_clock::time_point> until;
};

// Something that happened on the daemon.
struct daemon_event {
  daemon_event() = default;

  std::string type;                               // "container"
  std::string action;                             // "start", "exec_start: sh"
  std::string id;                                 // of what it happened to
  std::map<std::string, std::string> attributes;  // "name", "image", "exitCode", labels
  std::string scope;                              // "local", "swarm"
  std::chrono::system_clock::time_point time;  // the daemon's clock, to the nanosecond; timeNano of the API
  std::string raw;                             // the event as the daemon sent it: JSON
};

// Called for each event, in order, on the operation's executor. The next one is not read before it returns.
// It may not block, nor throw.
using daemon_event_sink = std::function<void(const daemon_event&)>;

DOCKLINE_API void start_events(client daemon, events_options options, daemon_event_sink on_event,
                               diagnostics* why, completion_handler<void> handler);

// Hands the daemon's events to `on_event`, each as it happens. No deadline but the connection's holds.
//
// Completion: when `until` is reached, or the daemon closes the stream in order.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion; the rest is kept.
// Cancellation: any type, at once; the connection is closed.
// Errors: errc::bad_request for a filter that the daemon does not know; errc::connection_lost when the daemon
// goes away in the middle; errc::malformed_json; errc::message_too_long for an event above 16 MiB; those of
// async_ping.
// Source: Docker Engine API, SystemEvents, since 1.0 (the types since 1.22).
// Example: tools/commands/events.cpp.
template <class Token = default_token>
auto async_events(const client& daemon, events_options options, daemon_event_sink on_event, diagnostics& why,
                  Token&& token = {}) {
  return initiate<void>(&start_events, std::forward<Token>(token), &why, daemon, std::move(options),
                        std::move(on_event));
}
template <class Token = default_token>
auto async_events(const client& daemon, events_options options, daemon_event_sink on_event,
                  Token&& token = {}) {
  return initiate<void>(&start_events, std::forward<Token>(token), nullptr, daemon, std::move(options),
                        std::move(on_event));
}

}  // namespace dockline::engine
