#include "engine/transfer.hpp"

#include "dockline/core/diagnostics.hpp"

#include "engine/message_stream.hpp"

#include <chrono>
#include <string>

namespace dockline::engine {

task<void> transfer(std::shared_ptr<client_state> state, endpoint what, progress::transfer_messages& messages,
                    std::string_view name, diagnostics& why) {
  value_taker take = [&messages](std::string_view message) {
    return messages.add(message, std::chrono::system_clock::now());
  };
  auto read = co_await stream_values(std::move(state), std::move(what), std::move(take), name, why);
  const error_code outcome = messages.finish(std::chrono::system_clock::now());
  // What the daemon said of its work counts more than how its connection ended.
  if (!messages.failure_words().empty()) {
    if (!read && read.error() == condition::cancelled) co_return read.error();
    why.clear();
    why.set_server_message(messages.failure_words());
    co_return outcome;
  }
  if (!read) {
    // dockerd tells of the registry's refusals with a 500.
    const errc refused = progress::registry_failure(why.server_message());
    if (read.error() == errc::service_failed && refused != errc::operation_failed) co_return refused;
    co_return read.error();
  }
  if (outcome) {
    why.set_client_message("the daemon ended the " + std::string(name) +
                           " without telling a result or an error");
    co_return outcome;
  }
  co_return result<void>();
}

}  // namespace dockline::engine
