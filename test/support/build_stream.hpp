#pragma once

// Runs a build's answer through the decoders and lists what they told.

#include "http/json_lines.hpp"
#include "progress/build_messages.hpp"
#include "support/event_listing.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

namespace dockline::progress {

struct stream_outcome {
  std::string listing;  // of the events, of the messages nobody knows, of the outcome
  error_code code;
};

// `chunk`: in pieces of how many bytes the answer arrives. `join_logs`: list pieces of a log that follow each
// other as one, for comparing streams that differ in where they are cut.
inline stream_outcome decode_build(std::string_view answer, std::size_t chunk = std::string_view::npos,
                                   bool join_logs = false) {
  stream_outcome seen;
  event log{{}, step_log{}};
  auto& joined = std::get<step_log>(log.body);
  const auto flush = [&] {
    if (!joined.bytes.empty()) seen.listing += list_event(log) + '\n';
    joined.bytes.clear();
  };
  build_messages messages(
      [&](const event& what) {
        const auto* piece = std::get_if<step_log>(&what.body);
        if (!piece || !join_logs) {
          flush();
          seen.listing += list_event(what) + '\n';
          return;
        }
        if (piece->index != joined.index || piece->stream != joined.stream) flush();
        joined.index = piece->index;
        joined.stream = piece->stream;
        joined.bytes += piece->bytes;
      },
      [&](std::string_view message) {
        seen.listing += "unknown " + in_quotes(message.substr(0, 40)) + '\n';
      });
  http::json_lines lines;
  const auto drain = [&] {
    for (;;) {
      const auto message = lines.next();
      if (!message) return message.error();
      if (!*message) return error_code();
      if (const error_code failure = messages.add(**message, {})) return failure;
    }
  };
  for (; !answer.empty() && !seen.code; answer.remove_prefix(std::min(chunk, answer.size()))) {
    lines.feed(answer.substr(0, chunk));
    seen.code = drain();
  }
  if (!seen.code) seen.code = lines.finish().error();
  if (!seen.code) seen.code = messages.finish({});
  flush();
  seen.listing += "outcome: " + (seen.code ? seen.code.message() : "built " + messages.image_id()) + '\n';
  if (const failed_step* step = messages.failure()) {
    seen.listing += "failed step " + std::to_string(step->index) + '/' + std::to_string(step->total) + ' ' +
                    in_quotes(step->instruction) +
                    " exit_code=" + (step->exit_code ? std::to_string(*step->exit_code) : "none") +
                    "\nreason: " + in_quotes(step->reason) + "\nlog_tail: " + in_quotes(step->log_tail) +
                    '\n';
  }
  return seen;
}

}  // namespace dockline::progress
