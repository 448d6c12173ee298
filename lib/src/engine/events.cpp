#include "dockline/engine/events.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/message_stream.hpp"
#include "engine/system_requests.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

// The clock counts nanoseconds.
constexpr std::int64_t most_seconds =
    std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds::max()).count();

// podman (4.3 to 5.8) tells nothing of the past when `until` is over, and not all of it when `until` comes while
// it still reads what it kept. It is asked for longer; what comes too late is left out here as always.
task<std::optional<std::chrono::system_clock::time_point>> until_what_is_kept_was_read(
    std::shared_ptr<client_state> state, std::optional<std::chrono::system_clock::time_point> until,
    diagnostics& why) {
  const auto enough = std::chrono::system_clock::now() + std::chrono::seconds(1);
  if (!until || *until > enough) co_return until;
  auto pong = co_await state->ping(why);
  if (!pong) co_return pong.error();
  if (pong->head.find("Libpod-API-Version").empty()) co_return until;
  co_return enough;
}

task<void> listen(std::shared_ptr<client_state> state, events_options options, daemon_event_sink on_event,
                  diagnostics& why) {
  events_options asked = options;
  auto end = co_await until_what_is_kept_was_read(state, options.until, why);
  if (!end) co_return end.error();
  asked.until = *end;
  json::document document;
  value_taker take = [&](std::string_view text) {
    if (const error_code bad = document.parse(text)) return bad;
    const daemon_event event = read_event(document.root(), text);
    // The daemon was asked for whole seconds.
    const bool outside =
        (options.since && event.time < *options.since) || (options.until && event.time > *options.until);
    if (on_event && !outside) on_event(event);
    return error_code();
  };
  auto over = co_await stream_values(state, requests::events(asked), std::move(take), "events", why);
  co_return over;
}

}  // namespace

daemon_event read_event(json::value message, std::string_view text) {
  daemon_event event;
  event.type = text_of(message, "Type");
  event.action = text_of(message, "Action");
  event.id = text_of(message.find("Actor"), "ID");
  event.attributes = pairs_of(message.find("Actor").find("Attributes"));
  event.scope = text_of(message, "scope");
  std::chrono::nanoseconds since_epoch(number_of(message, "timeNano"));
  if (since_epoch.count() == 0) {
    const auto seconds = number_of(message, "time");
    since_epoch = std::chrono::seconds(std::clamp(seconds, -most_seconds, most_seconds));
  }
  event.time = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch));
  event.raw = text;
  return event;
}

void start_events(client daemon, events_options options, daemon_event_sink on_event, diagnostics* why,
                  completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(state->strand, why, std::move(handler),
              [state, options = std::move(options), on_event = std::move(on_event)](diagnostics& words) {
                return listen(state, options, on_event, words);
              });
}

}  // namespace dockline::engine
