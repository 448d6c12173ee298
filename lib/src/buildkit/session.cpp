#include "buildkit/session.hpp"

#include "buildkit/health.hpp"
#include "buildkit/session_request.hpp"
#include "core/random.hpp"
#include "engine/client_state.hpp"
#include "engine/take_over.hpp"
#include "grpc/server.hpp"

#include <optional>
#include <utility>

namespace dockline::buildkit {

struct session_state {
  std::string id;
  std::optional<grpc::server> serving;
  pending<void> running;
  diagnostics why;
  bool closed = false;
  error_code failure;
};

namespace {

// The daemon's side of the connection, from its first byte to its last.
task<void> serve(std::shared_ptr<session_state> state) {
  diagnostics why;
  auto over = co_await state->serving->run(why);
  if (!over && !state->closed) {
    state->why.set_client_message("the session with the daemon ended: " + why.client_message());
  }
  co_return over;
}

}  // namespace

task<std::unique_ptr<session>> session::open(engine::client daemon, session_options options,
                                             diagnostics& why) {
  auto state = std::make_shared<session_state>();
  state->id = options.id.empty() ? random_id() : std::move(options.id);
  offer_health(options.services);
  auto request = session_request(state->id, options.name, options.shared_key, options.services.paths(), why);
  if (!request) co_return request.error();
  const auto client = daemon.state();
  const auto executor = client->strand;
  auto taken = co_await engine::take_over_connection(client, std::move(*request), why);
  if (!taken) co_return taken.error();
  state->serving.emplace(executor, std::move(taken->connection), std::move(taken->early),
                         std::move(options.services));
  auto opened = std::make_unique<session>(state);
  state->running = pending<void>::start(
      executor, nullptr,
      [&](completion_handler<void> handler) {
        spawn<void>(executor, nullptr, std::move(handler), [state](diagnostics&) { return serve(state); });
      },
      [state](error_code code) noexcept {
        if (!state->closed) state->failure = code;
        state->serving->close();
      });
  co_return opened;
}

session::session(std::shared_ptr<session_state> state) : state_(std::move(state)) {}

session::~session() {
  close();
  // What is still running owns the state, and not the other way round.
  state_->running = {};
}

const std::string& session::id() const noexcept { return state_->id; }

void session::close() noexcept {
  state_->closed = true;
  state_->serving->close();
}

task<void> session::wait(diagnostics& why) {
  const auto state = state_;
  auto over = co_await state->running.get();
  if (co_await is_cancelled()) co_return aborted();
  if (!state->failure) co_return state->closed ? result<void>() : over;
  why.set_client_message(state->why.client_message());
  co_return state->failure;
}

bool session::lost() const noexcept { return static_cast<bool>(state_->failure); }
error_code session::failure() const noexcept { return state_->failure; }
const std::string& session::words() const noexcept { return state_->why.client_message(); }

}  // namespace dockline::buildkit
