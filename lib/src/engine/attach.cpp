#include "dockline/engine/attach.hpp"

#include "core/pending.hpp"
#include "core/transfer.hpp"
#include "engine/attach_state.hpp"
#include "engine/client_state.hpp"
#include "engine/output.hpp"
#include "engine/requests.hpp"
#include "engine/take_over.hpp"

#include <boost/asio/system_executor.hpp>

#include <vector>

namespace dockline::engine {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t input_size = 16 * 1024;

// Container input: to the end of the source, then the half-close that the container sees as its end of file.
// A container that does not read any more is no failure of ours.
task<void> forward(std::shared_ptr<attachment_state> state, std::shared_ptr<byte_source> input) {
  auto memory = std::make_shared<std::vector<char>>(input_size);
  for (;;) {
    auto filling = start_reading(state->executor, *input, asio::buffer(*memory), memory);
    auto filled = co_await filling.get();
    if (co_await is_cancelled()) co_return result<void>();
    if (!filled || *filled == 0) break;
    auto written = co_await write_all(*state->connection, asio::buffer(*memory, *filled));
    if (!written) co_return result<void>();
  }
  state->connection->shutdown_send();
  co_return result<void>();
}

}  // namespace

task<attachment> take_over(std::shared_ptr<client_state> state, endpoint what, bool tty, diagnostics& why) {
  const auto executor = state->strand;
  auto taken = co_await take_over_connection(std::move(state), std::move(what), why);
  if (!taken) co_return taken.error();
  auto streams = std::make_shared<attachment_state>();
  streams->executor = executor;
  streams->tty = tty;
  streams->connection = std::move(taken->connection);
  streams->early = std::move(taken->early);
  co_return attachment(std::move(streams));
}

task<attachment> attach(std::shared_ptr<client_state> state, std::string id, attach_options options,
                        diagnostics& why) {
  auto streams =
      co_await take_over(std::move(state), requests::container_attach(id, options), options.tty, why);
  co_return streams;
}

task<void> run_attachment(attachment streams, std::shared_ptr<byte_source> input, output_sink sink,
                          diagnostics& why) {
  auto state = streams.state();
  if (!state || !state->connection) {
    why.set_client_message("the attachment is not connected");
    co_return errc::invalid_argument;
  }
  pending<void> forwarding;
  if (input) {
    forwarding = pending<void>::start(
        state->executor, state,
        [&](completion_handler<void> handler) {
          spawn<void>(state->executor, nullptr, std::move(handler),
                      [state, input](diagnostics&) { return forward(state, input); });
        },
        [state](error_code code) {
          state->input_failure = code;
          state->connection->close();
        });
  }
  output_decoder decoder(state->tty);
  if (const error_code code = decoder.eat(state->early, sink)) co_return code;
  state->early.clear();
  std::vector<char> memory(read_size);
  for (;;) {
    // The sink may have cancelled, at a moment when there was no wait that could have been ended.
    if (co_await is_cancelled()) co_return aborted();
    auto [code, size] = co_await read_some(*state->connection, asio::buffer(memory));
    if (co_await is_cancelled()) co_return aborted();
    if (state->input_failure) co_return state->input_failure;
    // A container that leaves input unread ends its connection with a reset; what it wrote has arrived by
    // then.
    if (code == asio::error::eof || (code == asio::error::connection_reset && input)) break;
    if (code) {
      why.set_client_message("the connection to the container broke: " + code.message());
      co_return errc::connection_lost;
    }
    if (const error_code bad = decoder.eat(std::string_view(memory.data(), size), sink)) co_return bad;
  }
  if (const error_code code = decoder.finish()) co_return code;
  co_return result<void>();
}

void start_container_attach(client daemon, std::string id, attach_options options, diagnostics* why,
                            completion_handler<attachment> handler) {
  auto state = daemon.state();
  spawn<attachment>(
      state->strand, why, std::move(handler),
      [state, id = std::move(id), options](diagnostics& words) { return attach(state, id, options, words); });
}

void start_attachment_run(attachment streams, std::shared_ptr<byte_source> input, output_sink sink,
                          diagnostics* why, completion_handler<void> handler) {
  auto state = streams.state();
  // An attachment that was never connected has no executor of its own: the handler's does to say so.
  const auto executor =
      state && state->connection ? state->executor : asio::any_io_executor(asio::system_executor());
  spawn<void>(executor, why, std::move(handler),
              [streams = std::move(streams), input = std::move(input), sink = std::move(sink)](
                  diagnostics& words) { return run_attachment(streams, input, sink, words); });
}

}  // namespace dockline::engine
