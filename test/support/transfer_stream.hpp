#pragma once

// Runs the answer to a push, pull, load or import through the decoders and lists what they told.

#include "http/json_lines.hpp"
#include "progress/transfer_messages.hpp"
#include "support/event_listing.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace dockline::progress {

struct transfer_outcome {
  std::string listing;  // of the events, and of the outcome
  error_code code;
};

// `chunk`: in pieces of how many bytes the answer arrives.
inline transfer_outcome decode_transfer(transfer kind, std::string_view answer,
                                        std::size_t chunk = std::string_view::npos) {
  transfer_outcome seen;
  transfer_messages messages(kind, [&](const event& what) { seen.listing += list_event(what) + '\n'; });
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
  seen.listing += "outcome: " + (seen.code ? seen.code.message() : "done") + '\n';
  if (!messages.digest().empty())
    seen.listing += "digest: " + messages.digest() + " size=" + std::to_string(messages.size()) + " tag " +
                    in_quotes(messages.tag()) + '\n';
  for (const std::string& image : messages.images()) seen.listing += "image: " + in_quotes(image) + '\n';
  if (!messages.failure_words().empty())
    seen.listing += "failure: " + in_quotes(messages.failure_words()) + '\n';
  return seen;
}

}  // namespace dockline::progress
