#include "buildkit/session_build.hpp"

#include "dockline/engine/build_cache.hpp"

#include "archive/context_state.hpp"
#include "buildkit/build_output.hpp"
#include "buildkit/dockerfile_excerpt.hpp"
#include "buildkit/file_export.hpp"
#include "buildkit/file_sync.hpp"
#include "buildkit/registry_tokens.hpp"
#include "buildkit/secrets.hpp"
#include "buildkit/session.hpp"
#include "buildkit/ssh_forward.hpp"
#include "buildkit/trace.hpp"
#include "buildkit/trace_message.hpp"
#include "core/encoding.hpp"
#include "core/pending.hpp"
#include "core/random.hpp"
#include "engine/build_run.hpp"
#include "engine/client_state.hpp"
#include "http/watchdog.hpp"

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

// A daemon that has lost the session ends the build: what comes by two connections may be heard in any order.
constexpr auto session_patience = 20ms;

std::string random_id() { return encode_hex(random_bytes(16)); }

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

// What is told of one build. The session's calls and the answer to the request both tell; neither may do so
// when it is over.
struct build_news {
  explicit build_news(progress::event_sink to) : listener(std::move(to)), steps(sink()) {}

  progress::event_sink sink() {
    return [this](const progress::event& what) { tell(what); };
  }
  void tell(const progress::event& what) {
    if (over) return;
    if (const auto* warned = std::get_if<progress::warning>(&what.body)) warnings.push_back(warned->text);
    if (listener) listener(what);
  }
  void tell_now(progress::event_body body) {
    progress::event what;
    what.time = std::chrono::system_clock::now();
    what.body = std::move(body);
    tell(what);
  }
  // BuildKit's part of the answer.
  void take(std::string_view message) {
    const auto status = finder.find(message);
    if (!status) return;
    if (!steps.add(*status, std::chrono::system_clock::now()) || std::exchange(misread, true)) return;
    progress::warning warned;
    warned.text = "the daemon told of the build's steps what cannot be read";
    tell_now(std::move(warned));
  }

  progress::event_sink listener;
  std::vector<std::string> warnings;
  bool over = false;
  bool misread = false;
  trace_messages finder;
  trace steps;
};

engine::build_run run_of(const build_job& job, std::shared_ptr<build_news> news) {
  engine::build_run run;
  run.options = job.options.image;
  run.options.buildkit = true;
  run.options.outputs = outputs_parameter(job.options.output);
  run.options.build_id = random_id();
  if (job.options.inline_cache) run.options.build_args.insert_or_assign("BUILDKIT_INLINE_CACHE", "1");
  run.no_image = job.options.output.type != build_output::kind::image;
  run.on_event = [news](const progress::event& what) { news->tell(what); };
  run.on_unknown = [news](std::string_view message) { news->take(message); };
  run.on_end = [news](bool failed) { news->steps.finish(std::chrono::system_clock::now(), failed); };
  return run;
}

build_result result_of(engine::built_image image, const build_news& news) {
  build_result built;
  built.builder = builder_kind::buildkit;
  built.image_id = std::move(image.id);
  built.warnings = news.warnings;
  return built;
}

bool is_archive_of_image(const build_output& output) noexcept {
  return output.type == build_output::kind::oci || output.type == build_output::kind::docker;
}

void point_at_lines(const archive::build_context& context, const trace& steps, failed_step& step) {
  const std::string& text = context.dockerfile_text();
  auto lines = lines_of_step(text, steps.failed_title());
  if (!lines) lines = lines_of_error(text, step.reason);
  if (!lines) return;
  step.file = dockerfile_name_of(context);
  step.first_line = lines->first;
  step.last_line = lines->last;
  step.excerpt = excerpt_of(text, step.file, *lines);
}

// What BuildKit told of the step that failed is more than what the error says.
void explain(const trace& steps, const build_job& job, diagnostics& why) {
  if (why.step() == nullptr) {
    // Refused as a whole. The daemon says that it does not find the exporter, and not where there is one.
    if (is_archive_of_image(job.options.output) && !why.server_message().empty() &&
        why.client_message().empty())
      why.set_client_message(
          "oci and docker archives come only from daemons with the containerd image store");
    return;
  }
  failed_step step = *why.step();
  if (const failed_step* known = steps.failure()) step = *known;
  if (job.context) point_at_lines(*job.context, steps, step);
  why.set_step(std::move(step));
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
  into->on_warning = [news](std::string text) {
    progress::warning warned;
    warned.text = std::move(text);
    news->tell_now(std::move(warned));
  };
  if (output.type == build_output::kind::local) {
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

}  // namespace

void tell_builder(const build_job& job, builder_kind builder, std::string reason) {
  if (!job.on_event) return;
  progress::builder_chosen chosen;
  chosen.builder = builder == builder_kind::buildkit ? "buildkit" : "classic";
  chosen.reason = std::move(reason);
  progress::event what;
  what.time = std::chrono::system_clock::now();
  what.body = std::move(chosen);
  job.on_event(what);
}

task<build_result> build_with_session(std::shared_ptr<build_job> job, session_refused& refused,
                                      diagnostics& why) {
  auto news = std::make_shared<build_news>(job->on_event);
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
  files->on_warning = [news](std::string text) {
    progress::warning warned;
    warned.text = std::move(text);
    news->tell_now(std::move(warned));
  };
  std::shared_ptr<received_export> exported;
  session_options offered;
  if (job->context) offered.shared_key = shared_key_of(*job->context);
  offer_files(offered.services, files);
  offer_secrets(offered.services, job->options.secrets, files->work);
  if (!job->options.ssh_agents.empty()) offer_ssh_agents(offered.services, job->options.ssh_agents);
  registry_logins logins;
  logins.known = job->options.image.registry_auths;
  logins.store = job->options.credentials;
  logins.on_warning = files->on_warning;
  offer_logins(offered.services, std::move(logins));
  if (comes_here(job->options.output)) {
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
  const bool cancelled = !image && co_await is_cancelled();
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
  auto news = std::make_shared<build_news>(job->on_event);
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
