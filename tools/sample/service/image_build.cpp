#include "image_build.hpp"

#include <dockline/containerize/containerize.hpp>
#include <dockline/core/async.hpp>
#include <dockline/progress/json_renderer.hpp>

#include "build_request.hpp"
#include "event_stream.hpp"
#include "json.hpp"
#include "no_throw.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <utility>

namespace sample {
namespace {

namespace containerize = dockline::containerize;
namespace progress = dockline::progress;
using namespace asio::experimental::awaitable_operators;

// Counts a build for as long as it lives.
class build_ticket {
 public:
  explicit build_ticket(std::shared_ptr<service> shared) : shared_(std::move(shared)) { ++shared_->builds; }
  build_ticket(const build_ticket&) = delete;
  build_ticket& operator=(const build_ticket&) = delete;
  ~build_ticket() { --shared_->builds; }

 private:
  std::shared_ptr<service> shared_;
};

// The library itself sees to it that the entry point lies in the tree. What else a client may name of this
// machine's files is a service's own business; the disk is asked where it may take its time.
asio::awaitable<bool> may_read(std::shared_ptr<service> shared, std::string path) {
  auto look = [shared, path = std::move(path)]() -> asio::awaitable<bool> {
    co_return stays_below(shared->root, path);
  };
  const auto [failure, inside] = co_await asio::co_spawn(shared->work, std::move(look), no_throw);
  co_return !failure && inside;
}

// Looks at the files, and decides what is to be built.
asio::awaitable<dockline::result<containerize::containerize_plan>> plan_image(
    std::shared_ptr<service> shared, containerize::containerize_options options, dockline::diagnostics& why) {
  if (const std::string& named = options.requirements; !named.empty() && !co_await may_read(shared, named)) {
    why.set_client_message("requirements \"" + named + "\": lies outside the root of this service");
    co_return dockline::errc::invalid_argument;
  }
  options.work = shared->work;
  // A service says itself what its builds are like: nothing is read from the environment of this process.
  containerize::containerize_environment environment;
  progress::event_sink nobody;  // the plan has the warnings as well
  auto [code, plan] = co_await containerize::async_plan_image(
      shared->builder, std::move(options), std::move(environment), std::move(nobody), why, no_throw);
  if (code) co_return code;
  co_return std::move(plan);
}

// A builder is behind an interface, without completion tokens; dockline::initiate() makes an operation of it.
void start_build(std::shared_ptr<containerize::image_builder> builder, containerize::image_order order,
                 progress::event_sink on_event, dockline::diagnostics* why,
                 dockline::completion_handler<containerize::containerized_image> handler) {
  builder->start_build(std::move(order), std::move(on_event), why, std::move(handler));
}

// Builds what was planned, and tells the client how it went. To be cancelled, which ends the build on the daemon.
asio::awaitable<void> build(std::shared_ptr<service> shared, containerize::containerize_plan plan,
                            std::shared_ptr<event_stream> events) {
  progress::event_sink on_event = [events](const progress::event& what) {
    events->send("progress", progress::to_json(what));
  };
  events->send("started", "{}");
  for (const std::string& text : plan.warnings) {
    progress::warning found;
    found.text = text;
    on_event({std::chrono::system_clock::now(), std::move(found)});
  }
  dockline::diagnostics why;
  auto [code, image] = co_await dockline::initiate<containerize::containerized_image>(
      &start_build, no_throw, &why, shared->builder, std::move(plan.order), std::move(on_event));
  if (code == dockline::condition::cancelled) co_return;
  if (code) {
    events->send("failed", message_json(dockline::describe(code, why)));
  } else {
    image.warnings.insert(image.warnings.begin(), plan.warnings.begin(), plan.warnings.end());
    events->send("done", image_json(image));
  }
}

}  // namespace

asio::awaitable<std::optional<reply>> build_for_client(std::shared_ptr<service> shared,
                                                       beast::tcp_stream& client, std::string body) {
  dockline::diagnostics why;
  auto options = read_build_request(body, shared->root, why);
  if (!options) co_return refusal(http::status::bad_request, dockline::describe(options.error(), why));
  if (shared->builds >= shared->most_builds)
    co_return refusal(http::status::service_unavailable, "too many builds run");
  std::shared_ptr<event_stream> events;
  {
    // Given back as soon as the build is over: what comes then depends on the client, and may take longer.
    const build_ticket ticket(shared);
    auto plan = co_await plan_image(shared, std::move(*options), why);
    if (!plan) {
      const bool theirs = plan.error() == dockline::condition::invalid_argument;
      co_return refusal(theirs ? http::status::bad_request : http::status::internal_server_error,
                        dockline::describe(plan.error(), why));
    }
    events = std::make_shared<event_stream>(client.release_socket());
    // Whichever is over first cancels the other one, and both are over before this goes on.
    co_await (build(shared, std::move(*plan), events) || events->wait_for_leaving());
  }
  co_await events->finish();
  co_return std::nullopt;
}

}  // namespace sample
