#include "dockline/gcp/cloud_build.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/cloud_build_calls.hpp"
#include "gcp/cloud_build_requests.hpp"
#include "gcp/google_error.hpp"
#include "gcp/random_name.hpp"

#include <algorithm>
#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// How often a build is looked for whose creation got no answer: it may be listed a little later.
constexpr int looks_for_lost = 4;
// How long a cancelled operation takes to cancel its build.
constexpr auto farewell_to_build = 10s;
constexpr int largest_page = 100;
// Pages that are looked through for a build with a tag, and that may be empty in a list: a server ends a page where it
// likes, but not for ever.
constexpr int most_pages = 20;

std::string base(const client_state& state, const build_place& where) {
  return state.cloud_build_url(where.region);
}

task<build_record> call_build(std::shared_ptr<client_state> state, api_call call, diagnostics& why) {
  auto answer = co_await state->call(std::move(call), why);
  if (!answer) co_return answer.error();
  co_return read_build(answer->body, why);
}

// The first build with a tag. A server that knows no filters lists them all. `longest`: of each request, which is then
// not repeated; 0: as every other one.
task<std::optional<build_record>> look_for_tag(std::shared_ptr<client_state> state, build_place where,
                                               std::string tag, std::chrono::milliseconds longest,
                                               diagnostics& why) {
  std::string token;
  for (int number = 0; number < most_pages; ++number) {
    api_call call = list_builds(base(*state, where), where, filter_of_tag(tag), largest_page, token);
    call.total = longest;
    result<api_answer> answer = aborted();
    if (longest > 0ms) {
      answer = co_await state->send_as(call, why);
    } else {
      answer = co_await state->call(call, why);
    }
    if (!answer) co_return answer.error();
    if (answer->status() != 200) co_return client_state::refusal(call, *answer, why);
    auto page = read_build_page(answer->body, why);
    if (!page) co_return page.error();
    for (auto& build : page->builds) {
      if (std::ranges::find(build.tags, tag) != build.tags.end())
        co_return std::optional<build_record>(std::move(build));
    }
    token = std::move(page->next);
    if (token.empty()) break;
  }
  co_return std::optional<build_record>();
}

// The build with a tag that no other one has; nothing when it is not there.
task<std::optional<build_record>> find_tagged(std::shared_ptr<client_state> state, build_place where,
                                              std::string tag, diagnostics& why) {
  retry_schedule pauses = state->schedule();
  for (int look = 1;; ++look) {
    auto found = co_await look_for_tag(state, where, tag, 0ms, why);
    if (!found || *found) co_return found;
    const auto pause = pauses.failed(std::chrono::steady_clock::now());
    if (look == looks_for_lost || !pause) co_return std::optional<build_record>();
    if (auto waited = co_await state->wait(*pause); !waited) co_return waited.error();
  }
}

// A creation was cancelled while it was asked for: what may have come of it is cancelled, too.
asio::awaitable<void> stop_tagged(std::shared_ptr<client_state> state, build_place where, std::string tag) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  diagnostics ignored;
  const auto found = co_await look_for_tag(state, where, tag, farewell_to_build / 2, ignored);
  if (found && *found) co_await stop_build(state, where, (*found)->id);
}

task<build_record> cancel(std::shared_ptr<client_state> state, build_place where, std::string id,
                          diagnostics& why) {
  auto settled = co_await settle(state, std::move(where), why);
  if (!settled) co_return settled.error();
  auto answer = co_await state->call(cancel_build(base(*state, *settled), *settled, id), why);
  if (answer) co_return read_build(answer->body, why);
  // It may be over already: then there is nothing to cancel.
  if (answer.error() != errc::bad_request && answer.error() != errc::conflict) co_return answer.error();
  const error_code refused = answer.error();
  diagnostics ignored;
  auto build = co_await get(state, *settled, id, ignored);
  if (!build && build.error() == condition::cancelled) {
    why.clear();
    co_return build.error();
  }
  if (!build || !is_final(build->status)) co_return refused;
  why.clear();
  co_return build;
}

task<build_record> retry(std::shared_ptr<client_state> state, build_place where, std::string id,
                         diagnostics& why) {
  auto settled = co_await settle(state, std::move(where), why);
  if (!settled) co_return settled.error();
  const api_call call = retry_build(base(*state, *settled), *settled, id);
  auto answer = co_await state->send_as(call, why);
  if (!answer) co_return answer.error();
  if (answer->status() / 100 != 2) co_return client_state::refusal(call, *answer, why);
  co_return read_operation(answer->body, why);
}

task<std::vector<build_record>> list(std::shared_ptr<client_state> state, build_list_options options,
                                     diagnostics& why) {
  auto where = co_await settle(state, options.where, why);
  if (!where) co_return where.error();
  std::vector<build_record> all;
  std::string token;
  int empty_pages = 0;
  do {
    const int wanted = std::min(options.most - static_cast<int>(all.size()), largest_page);
    if (wanted <= 0) break;
    auto answer =
        co_await state->call(list_builds(base(*state, *where), *where, options.filter, wanted, token), why);
    if (!answer) co_return answer.error();
    auto page = read_build_page(answer->body, why);
    if (!page) co_return page.error();
    for (auto& build : page->builds) {
      if (static_cast<int>(all.size()) < options.most) all.push_back(std::move(build));
    }
    token = page->next;
    if (page->builds.empty() && ++empty_pages > most_pages && !token.empty()) {
      why.set_client_message("Cloud Build lists page after page without a build");
      co_return errc::unexpected_answer;
    }
  } while (!token.empty());
  co_return all;
}

// Starts what is asked of one build that is there.
using call_on_build = task<build_record> (*)(std::shared_ptr<client_state>, build_place, std::string,
                                             diagnostics&);
void start_on_build(const client& google, call_on_build call, build_place where, std::string id,
                    diagnostics* why, completion_handler<build_record> handler) {
  auto state = google.state();
  spawn<build_record>(state->strand, why, std::move(handler),
                      [state, call, where = std::move(where), id = std::move(id)](diagnostics& words) {
                        return call(state, where, id, words);
                      });
}

}  // namespace

task<build_place> settle(std::shared_ptr<client_state> state, build_place where, diagnostics& why) {
  // It has no emulator: a server of one's own may take anybody, Google's does not.
  if (std::holds_alternative<nobody>(state->who.source()->who) && state->options.cloud_build_endpoint.empty())
    co_return none_found(why);
  if (where.region.empty()) where.region = "global";
  if (where.project.empty()) {
    auto project = co_await state->project(why);
    if (!project) co_return project.error();
    where.project = *project;
  }
  co_return where;
}

task<build_place> settle(std::shared_ptr<client_state> state, build_place where, const build_request& what,
                         diagnostics& why) {
  if (where.region.empty()) where.region = region_of_pool(what.private_pool);
  auto settled = co_await settle(std::move(state), std::move(where), why);
  co_return settled;
}

task<build_record> get(std::shared_ptr<client_state> state, build_place where, std::string id,
                       diagnostics& why) {
  auto settled = co_await settle(state, std::move(where), why);
  if (!settled) co_return settled.error();
  auto build = co_await call_build(state, get_build(base(*state, *settled), *settled, id), why);
  co_return build;
}

asio::awaitable<void> stop_build(std::shared_ptr<client_state> state, build_place where, std::string id) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  const auto until = std::chrono::steady_clock::now() + farewell_to_build;
  retry_schedule attempts = state->schedule();
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= 0ms) co_return;
    api_call call = cancel_build(base(*state, where), where, id);
    call.total = left;
    diagnostics ignored;
    auto answer = co_await state->send_as(std::move(call), ignored);
    const bool again = answer ? is_transient(answer->status()) : is_transient(answer.error());
    const auto pause = attempts.failed(std::chrono::steady_clock::now());
    if (!again || !pause || *pause > left) co_return;
    if (auto waited = co_await state->wait(*pause); !waited) co_return;
  }
}

task<build_record> create_and_find(std::shared_ptr<client_state> state, build_place where, build_request what,
                                   diagnostics& why) {
  auto settled = co_await settle(state, std::move(where), what, why);
  if (!settled) co_return settled.error();
  if (auto checked = check(*settled, what, why); !checked) co_return checked.error();
  const std::string tag = random_name("dockline-");
  const api_call call = create_build(base(*state, *settled), *settled, what, tag);
  retry_schedule attempts = state->schedule();
  for (;;) {
    auto answer = co_await state->send_as(call, why);
    if (!answer && answer.error() == condition::cancelled) {
      co_await stop_tagged(state, *settled, tag);
      co_return aborted();
    }
    const bool accepted = answer && answer->status() / 100 == 2;
    if (accepted) {
      auto build = read_operation(answer->body, why);
      if (build) {
        why.clear();
        co_return build;
      }
      // An operation that does not tell its build: it is there all the same.
      why.clear();
    }
    error_code failure;
    bool reached = true;
    std::chrono::milliseconds asked_for{};
    if (answer && !accepted) {
      failure = client_state::refusal(call, *answer, why);
      asked_for = read_retry_after(answer->head.find("Retry-After"));
      if (!is_transient(answer->status())) co_return failure;
    } else if (!answer) {
      failure = answer.error();
      if (!is_transient(failure)) co_return failure;
      reached = failure != errc::cannot_connect;
    }
    const diagnostics words = why;
    // What was said may have been done: there is one build, or none, never two.
    if (reached) {
      auto found = co_await find_tagged(state, *settled, tag, why);
      if (!found && found.error() == condition::cancelled) {
        co_await stop_tagged(state, *settled, tag);
        co_return aborted();
      }
      // Whether it is there cannot be told: then it is not created again.
      if (!found) co_return found.error();
      if (*found) co_return std::move(**found);
    }
    why = words;
    if (accepted) {
      why.set_client_message("Cloud Build took the build, but does not list it");
      co_return errc::unexpected_answer;
    }
    const auto pause = attempts.failed(std::chrono::steady_clock::now(), reached, asked_for);
    if (!pause) co_return failure;
    if (auto waited = co_await state->wait(*pause); !waited) {
      if (reached) co_await stop_tagged(state, *settled, tag);
      co_return waited.error();
    }
    why.clear();
  }
}

void start_create_build(client google, build_place where, build_request what, diagnostics* why,
                        completion_handler<build_record> handler) {
  auto state = google.state();
  spawn<build_record>(state->strand, why, std::move(handler),
                      [state, where = std::move(where), what = std::move(what)](diagnostics& words) {
                        return create_and_find(state, where, what, words);
                      });
}

void start_get_build(client google, build_place where, std::string id, diagnostics* why,
                     completion_handler<build_record> handler) {
  start_on_build(google, get, std::move(where), std::move(id), why, std::move(handler));
}

void start_cancel_build(client google, build_place where, std::string id, diagnostics* why,
                        completion_handler<build_record> handler) {
  start_on_build(google, cancel, std::move(where), std::move(id), why, std::move(handler));
}

void start_retry_build(client google, build_place where, std::string id, diagnostics* why,
                       completion_handler<build_record> handler) {
  start_on_build(google, retry, std::move(where), std::move(id), why, std::move(handler));
}

void start_list_builds(client google, build_list_options options, diagnostics* why,
                       completion_handler<std::vector<build_record>> handler) {
  auto state = google.state();
  spawn<std::vector<build_record>>(
      state->strand, why, std::move(handler),
      [state, options = std::move(options)](diagnostics& words) { return list(state, options, words); });
}

}  // namespace dockline::gcp
