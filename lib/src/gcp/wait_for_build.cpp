#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/cloud_build.hpp"

#include "core/pending.hpp"
#include "gcp/build_log.hpp"
#include "gcp/cloud_build_calls.hpp"
#include "gcp/cloud_build_requests.hpp"
#include "gcp/log_reader.hpp"
#include "progress/event_now.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// What is said of a build that is over and was not a success.
error_code explain(const build_record& build, const build_log& log, diagnostics& why) {
  why.clear();
  const failed_step* const step = log.failure();
  std::string ours = "build " + build.id + " ended as " + build.status_text;
  if (!build.log_url.empty()) ours += "; its log: " + build.log_url;
  why.set_client_message(ours);
  why.set_server_message(build.failure_detail.empty() ? build.status_detail : build.failure_detail);
  // A step is what failed only where Cloud Build says so: an image that was built may not have been pushed.
  const bool by_step = build.failure_type.empty() || build.failure_type == "USER_BUILD_STEP";
  if (step != nullptr && build.status == build_status::failure && by_step) why.set_step(*step);
  switch (build.status) {
    case build_status::internal_error: return errc::service_failed;
    case build_status::unknown:
    case build_status::pending:
    case build_status::queued:
    case build_status::working:
    case build_status::success:
    case build_status::failure:
    case build_status::timeout:
    case build_status::cancelled:
    case build_status::expired: break;
  }
  return errc::build_failed;
}

class waiting {
 public:
  waiting(std::shared_ptr<client_state> state, build_place where, std::string id, wait_options options,
          progress::event_sink on_event)
      : state_(std::move(state)),
        where_(std::move(where)),
        id_(std::move(id)),
        options_(options),
        on_event_(std::move(on_event)) {}

  task<build_record> run(bool& goes_on, diagnostics& why) {
    task<build_record> wait = options_.longest_wait > 0ms ? go_in_time(why) : go(why);
    auto outcome = co_await std::move(wait);
    if (outcome || over_ || where_.project.empty()) co_return outcome;
    const bool cancelled = outcome.error() == condition::cancelled;
    goes_on = !(cancelled && options_.cancel_when_cancelled) && !(late_ && options_.cancel_when_late);
    if (!goes_on) co_await stop_build(state_, where_, id_);
    co_return outcome;
  }

 private:
  // A wait, and whether its time has passed: what the timer's handler needs when it comes late.
  struct limited {
    pending<build_record> wait;
    bool late = false;
  };

  // Also a poll that hangs is over when the time has passed.
  task<build_record> go_in_time(diagnostics& why) {
    auto shared = std::make_shared<limited>();
    shared->wait =
        pending<build_record>::start(state_->strand, nullptr, [&](completion_handler<build_record> handler) {
          spawn<build_record>(state_->strand, &why, std::move(handler),
                              [this](diagnostics& words) { return go(words); });
        });
    asio::steady_timer limit(state_->strand, options_.longest_wait);
    limit.async_wait([shared](error_code code) {
      if (code) return;
      shared->late = true;
      shared->wait.cancel();
    });
    auto outcome = co_await shared->wait.get();
    limit.cancel();
    const bool stopped = !outcome && outcome.error() == condition::cancelled;
    if (!stopped || !shared->late || co_await is_cancelled()) co_return outcome;
    late_ = true;
    if (over_) co_return finish(std::move(last_), why);
    why.clear();
    why.set_client_message("build " + id_ + " is not over after " + seconds_of(options_.longest_wait) +
                           " s (" +
                           (last_.status_text.empty() ? "it was not told how it is" : last_.status_text) +
                           "); " + (options_.cancel_when_late ? "it is cancelled" : "it goes on") +
                           (last_.log_url.empty() ? "" : "; its log: " + last_.log_url));
    co_return errc::timed_out;
  }

  static std::string seconds_of(std::chrono::milliseconds time) {
    const std::string whole = std::to_string(time / 1s);
    return time % 1s == 0ms ? whole : whole + '.' + std::to_string(1000 + (time % 1s).count()).substr(1);
  }

  task<build_record> go(diagnostics& why) {
    auto settled = co_await settle(state_, where_, why);
    if (!settled) co_return settled.error();
    where_ = *settled;
    auto pause = options_.first_pause;
    for (;;) {
      auto build = co_await get(state_, where_, id_, why);
      if (!build) co_return build.error();
      last_ = *build;
      over_ = is_final(build->status);
      if (options_.follow_log) {
        if (auto read = co_await follow(*build); !read) co_return read.error();
      }
      if (over_) co_return finish(std::move(*build), why);
      if (auto waited = co_await state_->wait(std::max(pause, 1ms)); !waited) co_return waited.error();
      pause = std::min(pause * 5 / 4 + 1ms, options_.longest_pause);
    }
  }

  task<void> follow(const build_record& build) {
    if (!log_) {
      const auto steps = static_cast<int>(build.step_names.size());
      log_.emplace(on_event_, steps, docker_step_of(build));
      const log_place place = log_of(build);
      if (place.bucket.empty()) {
        no_log_ = "it has no log in a bucket";
      } else {
        reader_.emplace(state_, place, *log_);
      }
    }
    // Before it runs it says nothing.
    if (!reader_ || build.status == build_status::pending || build.status == build_status::queued)
      co_return result<void>();
    auto read = co_await reader_->read(over_);
    co_return read;
  }

  void tell(progress::event_body body) {
    if (on_event_) on_event_(progress::event_now(std::move(body)));
  }

  result<build_record> finish(build_record build, diagnostics& why) {
    const bool succeeded = build.status == build_status::success;
    if (!log_) log_.emplace(nullptr, 1, 0);
    log_->finish(std::chrono::system_clock::now(), succeeded);
    std::string problem = reader_ ? reader_->problem() : no_log_;
    if (late_ && problem.empty()) problem = "its end did not come in time";
    if (!problem.empty() && options_.follow_log) {
      problem = "the log of the build is not shown: " + problem;
      if (!build.log_url.empty()) problem += "; it is at " + build.log_url;
      build.warnings.push_back(problem);
    }
    for (const auto& text : build.warnings) tell(progress::warning{text});
    if (!succeeded) return explain(build, *log_, why);
    for (const auto& image : build.images) {
      if (!log_->told_tag(image.name)) tell(progress::image_tagged{image.name});
      if (log_->told_push(image.digest)) continue;
      progress::transfer_finished told;
      told.tag = image.name;
      told.digest = image.digest;
      tell(std::move(told));
    }
    return build;
  }

  std::shared_ptr<client_state> state_;
  build_place where_;
  std::string id_;
  wait_options options_;
  progress::event_sink on_event_;
  std::optional<build_log> log_;
  std::optional<log_reader> reader_;
  std::string no_log_;
  build_record last_;  // as it was told last
  bool over_ = false;
  bool late_ = false;
};

}  // namespace

task<build_record> wait_for(std::shared_ptr<client_state> state, build_place where, std::string id,
                            wait_options options, progress::event_sink on_event, bool& goes_on,
                            diagnostics& why) {
  waiting wait(std::move(state), std::move(where), std::move(id), options, std::move(on_event));
  auto build = co_await wait.run(goes_on, why);
  co_return build;
}

void start_wait_for_build(client google, build_place where, std::string id, wait_options options,
                          progress::event_sink on_event, diagnostics* why,
                          completion_handler<build_record> handler) {
  auto state = google.state();
  spawn<build_record>(state->strand, why, std::move(handler),
                      [state, where = std::move(where), id = std::move(id), options,
                       on_event = std::move(on_event), ignored = false](diagnostics& words) mutable {
                        return wait_for(state, std::move(where), std::move(id), options, std::move(on_event),
                                        ignored, words);
                      });
}

}  // namespace dockline::gcp
