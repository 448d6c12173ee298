#include "buildkit/session_build.hpp"

#include "dockline/engine/build_cache.hpp"

#include "archive/context_state.hpp"
#include "buildkit/build_news.hpp"
#include "buildkit/build_output.hpp"
#include "buildkit/file_export.hpp"
#include "buildkit/file_sync.hpp"
#include "buildkit/registry_tokens.hpp"
#include "buildkit/secrets.hpp"
#include "buildkit/session.hpp"
#include "buildkit/ssh_forward.hpp"
#include "core/pending.hpp"
#include "core/random.hpp"
#include "engine/build_run.hpp"
#include "engine/client_state.hpp"
#include "http/watchdog.hpp"
#include "progress/event_now.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <string_view>

namespace dockline::buildkit {
namespace {

using namespace std::chrono_literals;

// How long the daemon may take to note that a build is cancelled; closing its connection does the same.
constexpr auto cancel_limit = 2s;

// What comes by two connections may be heard in any order: that the session is gone, and that the build ended for
// it; that the result is whole, and that the build is done.
constexpr auto session_patience = 20ms;
constexpr auto result_patience = 5s;

// The same for each build from this directory of this machine, and for no other. The daemon tells by its time
// whether a file has changed; where all have one time, it must not believe that it knows them.
std::string shared_key_of(const archive::build_context& context) {
  if (context.shared()->found->rules.fixed_time) return random_id();
  if (context.directory().empty()) return {};
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  const std::string place = std::string(host.data()) + ':' + context.directory();
  const boost::uuids::name_generator_sha1 key_of(boost::uuids::ns::url());
  return boost::uuids::to_string(key_of(place));
}

// Whether the daemon answered, and this is its answer.
bool is_refusal(error_code code) {
  return code == errc::bad_request || code == errc::unauthorized || code == errc::denied ||
         code == errc::not_found || code == errc::not_acceptable || code == errc::conflict ||
         code == errc::service_failed || code == errc::refused || code == errc::unexpected_answer;
}

// What the daemon may read here: nothing, where the context is not of this machine.
std::shared_ptr<synced_files> readable_files(const build_job& job) {
  if (job.context) return files_of(*job.context);
  auto files = std::make_shared<synced_files>();
  files->work = job.work;
  files->keep = job.keep;
  return files;
}

std::shared_ptr<received_export> export_of(const build_job& job, const synced_files& files,
                                           std::shared_ptr<build_news> news, diagnostics& why,
                                           error_code& failed) {
  const build_output& output = job.options.output;
  auto into = std::make_shared<received_export>();
  into->work = files.work;
  into->keep = files.keep;
  into->on_warning = [news](std::string text) { news->warn(std::move(text)); };
  if (!comes_here(output)) {
    into->unwanted = true;
  } else if (output.type == build_output::kind::local) {
    into->directory = output.destination;
  } else if (output.write) {
    into->archive = make_archive_writer(output.write);
  } else {
    auto archive = open_archive(output.destination, why);
    if (!archive) {
      failed = archive.error();
      return nullptr;
    }
    into->archive = std::move(*archive);
  }
  return into;
}

// Asks the daemon to end the build. It has noticed mostly, since the build's connection is closed.
asio::awaitable<void> cancel_build(engine::client daemon, std::string id) {
  // What was cancelled is the build; this is not.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  const auto executor = daemon.state()->strand;
  auto asking = pending<void>::start(executor, nullptr, [&](completion_handler<void> handler) {
    engine::start_build_cancel(daemon, std::move(id), nullptr, std::move(handler));
  });
  http::watchdog guard(executor);
  guard.arm(cancel_limit, [&asking] { asking.cancel(); });
  (void)co_await asking.get();
}

// BuildKit tells an archive from a Dockerfile by the first kilobyte of a body, and takes a tar for a Dockerfile
// when the first name in it needs a header of its own. gzip it knows by its first bytes.
archive::build_context compressed(const archive::build_context& context) {
  return archive::changed(context,
                          [](archive::context_tree& tree) { tree.compress = archive::compression::gzip; });
}

// dockerd 20.10 passes neither on to BuildKit, and says nothing; 26 passes both, and by its sources 23 does. A
// version that the caller named tells nothing of the daemon.
void warn_of_limits(const build_job& job, build_news& news) {
  constexpr engine::api_version first_with_limits{1, 42};
  const engine::client_state& client = *job.daemon.state();
  if (!client.options.api_version.empty() || !client.version || *client.version >= first_with_limits) return;
  const engine::build_options& image = job.options.image;
  std::string passed_over;
  if (image.shm_size != 0) passed_over = "the size of /dev/shm";
  for (const engine::ulimit& one : image.ulimits)
    passed_over += (passed_over.empty() ? "the ulimit " : ", the ulimit ") + one.name;
  if (passed_over.empty()) return;
  news.warn("this daemon's BuildKit passes over " + passed_over + "; its classic builder does not");
}

}  // namespace

void tell_builder(const build_job& job, builder_kind builder, std::string reason) {
  if (!job.on_event) return;
  progress::builder_chosen chosen;
  chosen.builder = builder == builder_kind::buildkit ? "buildkit" : "classic";
  chosen.reason = std::move(reason);
  job.on_event(progress::event_now(std::move(chosen)));
}

task<build_result> build_with_session(std::shared_ptr<build_job> job, session_refused& refused,
                                      diagnostics& why) {
  auto news = std::make_shared<build_news>(job->on_event, job->context);
  const auto files = readable_files(*job);
  files->on_progress = [news](const packing_progress& sent, std::uint64_t bytes_sent, bool complete) {
    progress::context_progress told;
    told.entries = sent.entries;
    told.bytes = sent.bytes;
    told.bytes_sent = bytes_sent;
    told.complete = complete;
    told.in_step = true;
    news->tell_now(told);
  };
  files->on_warning = [news](std::string text) { news->warn(std::move(text)); };
  std::shared_ptr<received_export> exported;
  session_options offered;
  if (job->context) offered.shared_key = shared_key_of(*job->context);
  offer_files(offered.services, files);
  offer_secrets(offered.services, job->options.secrets, files->work);
  if (!job->options.ssh_agents.empty()) offer_ssh_agents(offered.services, job->options.ssh_agents);
  registry_logins logins;
  logins.known = job->options.image.registry_auths;
  logins.store = job->options.credentials;
  logins.tokens = job->options.registry_tokens;
  logins.watch = [state = job->daemon.state()](http::request& made) { state->watch(made); };
  logins.on_warning = files->on_warning;
  offer_logins(offered.services, std::move(logins));
  if (needs_receiver(job->options.output)) {
    error_code failed;
    exported = export_of(*job, *files, news, why, failed);
    if (failed) co_return failed;
    offer_export(offered.services, exported);
  }
  auto opened = co_await session::open(job->daemon, std::move(offered), why);
  if (!opened) {
    if (is_refusal(opened.error())) {
      refused.code = opened.error();
      refused.words = describe(opened.error(), why);
    }
    co_return opened.error();
  }
  tell_builder(*job, builder_kind::buildkit,
               job->context   ? "the daemon reads the context through a session"
               : job->archive ? "the daemon gets the archive, and asks through a session for all else"
                              : "the daemon fetches the context, and asks through a session for all else");
  warn_of_limits(*job, *news);
  session& serving = **opened;
  const auto executor = job->daemon.state()->strand;
  engine::build_run run = run_of(*job, news);
  const std::string id = run.options.build_id;
  run.options.session = serving.id();
  run.context = job->archive;
  if (job->context) {
    run.options.remote = "client-session";
    run.options.dockerfile = dockerfile_name_of(*job->context);
  }
  run.options.registry_auths.clear();
  auto image = co_await engine::run_build(job->daemon, std::move(run), why);
  if (!image && news->steps.failure() == nullptr && !serving.lost() && !co_await is_cancelled()) {
    asio::steady_timer pause(executor, session_patience);
    co_await pause.async_wait(no_throw);
  }
  const auto result_is_due = [&] {
    return image && exported && !exported->complete && !exported->failure && !serving.lost();
  };
  for (auto waited = 0ms; result_is_due() && waited < result_patience && !co_await is_cancelled();
       waited += session_patience) {
    asio::steady_timer pause(executor, session_patience);
    co_await pause.async_wait(no_throw);
  }
  const bool cancelled = (!image || result_is_due()) && co_await is_cancelled();
  if (cancelled) co_await cancel_build(job->daemon, id);
  const bool lost = serving.lost();
  serving.close();
  diagnostics unheard;
  (void)co_await serving.wait(unheard);
  news->over = true;
  if (cancelled) co_return aborted();
  // What went wrong here the daemon can only tell at second hand.
  if (!image && files->failure) {
    why = files->failure_words;
    co_return files->failure;
  }
  if (exported && exported->failure) {
    why = exported->failure_words;
    co_return exported->failure;
  }
  if (!image && lost) {
    std::string words = serving.words();
    if (!why.server_message().empty()) words += ": " + why.server_message();
    why.clear();
    why.set_client_message(std::move(words));
    co_return serving.failure();
  }
  if (!image) {
    explain(news->steps, *job, why);
    co_return image.error();
  }
  if (exported && !exported->complete) {
    why.set_client_message("the daemon ended the build without sending its result");
    co_return errc::no_outcome;
  }
  build_result built = result_of(std::move(*image), *news);
  if (exported) {
    built.exported_files = exported->files;
    built.exported_bytes = exported->bytes;
  }
  co_return built;
}

task<build_result> build_with_body(std::shared_ptr<build_job> job, diagnostics& why) {
  auto news = std::make_shared<build_news>(job->on_event, job->context);
  warn_of_limits(*job, *news);
  engine::build_run run = run_of(*job, news);
  const std::string id = run.options.build_id;
  run.context = job->archive;
  if (job->context) {
    run.context = compressed(job->context->with_mode(archive::ignore_mode::buildkit)).pack();
    run.options.dockerfile = job->context->dockerfile_name();
  }
  auto image = co_await engine::run_build(job->daemon, std::move(run), why);
  if (!image && co_await is_cancelled()) {
    co_await cancel_build(job->daemon, id);
    co_return aborted();
  }
  news->over = true;
  if (!image) {
    explain(news->steps, *job, why);
    co_return image.error();
  }
  co_return result_of(std::move(*image), *news);
}

task<build_result> build_classically(std::shared_ptr<build_job> job, diagnostics& why) {
  engine::build_run run;
  run.options = job->options.image;
  run.context = job->archive;
  if (job->context) {
    run.options.dockerfile = job->context->dockerfile_name();
    run.context = job->context->with_mode(archive::ignore_mode::classic).pack();
  }
  run.on_event = job->on_event;
  auto image = co_await engine::run_build(job->daemon, std::move(run), why);
  if (!image) co_return image.error();
  build_result built;
  built.image_id = std::move(image->id);
  built.warnings = std::move(image->warnings);
  co_return built;
}

}  // namespace dockline::buildkit
