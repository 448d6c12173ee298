#include "dockline/engine/build_cache.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/one_answer.hpp"
#include "engine/system_requests.hpp"

namespace dockline::engine {
namespace {

task<void> cancel(std::shared_ptr<client_state> state, std::string build_id, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::build_cancel(build_id, *version, why);
  if (!what) co_return what.error();
  auto done = co_await command(std::move(state), std::move(*what), why);
  co_return done;
}

}  // namespace

build_cache_pruned read_cache_pruned(json_answer& answered) {
  build_cache_pruned gone;
  gone.ids = texts_of(answered.root().find("CachesDeleted"));
  gone.space_reclaimed = number_of(answered.root(), "SpaceReclaimed");
  return gone;
}

void start_build_prune(client daemon, build_prune_options options, diagnostics* why,
                       completion_handler<build_cache_pruned> handler) {
  start_ask_versioned<build_cache_pruned>(
      daemon,
      [options = std::move(options)](api_version version, diagnostics& words) {
        return requests::build_prune(options, version, words);
      },
      &read_cache_pruned, why, std::move(handler));
}

void start_build_cancel(client daemon, std::string build_id, diagnostics* why,
                        completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(
      state->strand, why, std::move(handler),
      [state, build_id = std::move(build_id)](diagnostics& words) { return cancel(state, build_id, words); });
}

}  // namespace dockline::engine
