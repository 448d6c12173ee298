#include "dockline/engine/run.hpp"

#include "core/unbroken.hpp"
#include "engine/attach_state.hpp"
#include "engine/client_state.hpp"

#include <chrono>

namespace dockline::engine {
namespace {

using namespace std::chrono_literals;

// How long a cancelled run waits to be told what container it made.
constexpr auto farewell_to_creation = 5s;

// Everything between a created container and its end.
task<int> run_created(client daemon, std::string id, bool tty, std::shared_ptr<byte_source> input,
                      output_sink sink, diagnostics& why) {
  if (co_await is_cancelled()) co_return aborted();
  attach_options attach_to;
  attach_to.in = input != nullptr;
  attach_to.tty = tty;
  // Attached before it is started, so that its first byte is not lost.
  auto streams = co_await attach(daemon.state(), id, attach_to, why);
  if (!streams) co_return streams.error();
  auto [not_started] = co_await async_container_start(daemon, id, why, unless_cancelled);
  if (not_started) co_return not_started;
  auto over = co_await run_attachment(std::move(*streams), std::move(input), std::move(sink), why);
  if (!over) co_return over.error();
  auto [code, ended] = co_await async_container_wait(daemon, id, why, unless_cancelled);
  if (code) co_return code;
  co_return ended.status;
}

// A container that is being made when the run is cancelled would stay: its id is waited for, though not long.
task<container_created> make_container(client daemon, container_options options,
                                       std::chrono::milliseconds farewell, bool& cancelled,
                                       diagnostics& why) {
  auto version = co_await daemon.state()->negotiate(why);
  if (!version) co_return version.error();
  if (co_await is_cancelled()) co_return aborted();
  auto creation = [daemon, options = std::move(options)](diagnostics& words) -> task<container_created> {
    auto [code, made] = co_await async_container_create(daemon, options, words, unless_cancelled);
    if (code) co_return code;
    co_return std::move(made);
  };
  auto made = co_await unbroken<container_created>(farewell, cancelled, why, creation);
  co_return made;
}

task<run_result> run(client daemon, run_options options, output_sink sink, diagnostics& why) {
  if (options.input) options.container.open_stdin = true;
  // The daemon would remove it before it is asked for its status.
  if (std::exchange(options.container.auto_remove, false)) options.remove = true;
  const bool tty = options.container.tty;
  const auto farewell = options.remove ? farewell_to_creation : 0s;
  bool cancelled = false;
  auto made = co_await make_container(daemon, std::move(options.container), farewell, cancelled, why);
  if (!made) co_return made.error();

  result<int> status = aborted();
  if (!cancelled)
    status = co_await run_created(daemon, made->id, tty, std::move(options.input), std::move(sink), why);

  // Cancelled or not, from here on it is tidied up; a second cancellation ends that as well.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  diagnostics unheard;
  // podman would first ask politely, and wait ten seconds, if it had to remove a container that runs.
  if (!status && status.error() == condition::cancelled && !cancelled) {
    auto [failed] = co_await async_container_kill(daemon, made->id, "KILL", unheard, unless_cancelled);
    (void)failed;
  }
  if (options.remove) {
    remove_options removal;
    removal.force = true;
    removal.volumes = true;
    auto [failed] = co_await async_container_remove(daemon, made->id, removal, unheard, unless_cancelled);
    (void)failed;
  }
  if (!status) co_return status.error();
  run_result done;
  done.id = std::move(made->id);
  done.status = *status;
  done.warnings = std::move(made->warnings);
  co_return done;
}

}  // namespace

void start_run(client daemon, run_options options, output_sink sink, diagnostics* why,
               completion_handler<run_result> handler) {
  auto state = daemon.state();
  spawn<run_result>(state->strand, why, std::move(handler),
                    [daemon = std::move(daemon), options = std::move(options),
                     sink = std::move(sink)](diagnostics& words) mutable {
                      return run(std::move(daemon), std::move(options), std::move(sink), words);
                    });
}

}  // namespace dockline::engine
