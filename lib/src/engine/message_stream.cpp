#include "engine/message_stream.hpp"

#include "dockline/core/diagnostics.hpp"

#include "http/json_lines.hpp"

#include <string>

namespace dockline::engine {

task<void> read_values(http::exchange& over, value_taker take, std::string_view what, diagnostics& why) {
  http::json_lines lines;
  for (;;) {
    auto some = co_await over.read_some(why);
    if (!some) co_return some.error();
    const bool ended = some->empty();
    if (!ended) lines.feed(*some);
    for (;;) {
      const auto value = ended ? lines.finish() : lines.next();
      error_code bad = value ? error_code() : value.error();
      if (!bad && *value) bad = take(**value);
      if (bad) {
        why.set_client_message("the daemon's answer to the " + std::string(what) + ": " + bad.message());
        co_return bad;
      }
      if (ended || !*value) break;
    }
    if (ended) co_return result<void>();
    // By whoever was told, when there was no wait that could have been ended.
    if (co_await is_cancelled()) co_return aborted();
  }
}

task<void> stream_values(std::shared_ptr<client_state> state, endpoint what, value_taker take,
                         std::string_view name, diagnostics& why) {
  auto over = co_await state->open(std::move(what), nullptr, why);
  if (!over) co_return over.error();
  auto read = co_await read_values(**over, std::move(take), name, why);
  if (!read) co_return read.error();
  state->connections->give_back(**over);
  co_return result<void>();
}

}  // namespace dockline::engine
