#include "dockline/buildkit/build.hpp"

#include "dockline/engine/image_ref.hpp"

#include "archive/context_state.hpp"
#include "archive/given_archive.hpp"
#include "archive/work.hpp"
#include "archive/work_pool.hpp"
#include "buildkit/build_output.hpp"
#include "buildkit/finished_image.hpp"
#include "buildkit/session_build.hpp"
#include "engine/client_state.hpp"
#include "engine/requests.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace dockline::buildkit {
namespace {

// What a daemon says of itself when it is asked whether it is there.
struct daemon_words {
  std::string name;       // "Libpod/4.3.1 (linux)"; empty when it does not tell
  bool buildkit = false;  // it says that BuildKit is its builder
};

asio::awaitable<daemon_words> ask_daemon(engine::client daemon) {
  daemon_words said;
  diagnostics why;
  auto pong = co_await daemon.state()->ping(why);
  if (!pong) co_return said;
  said.name = pong->head.find("Server");
  said.buildkit = pong->head.find("Builder-Version") == "2";
  co_return said;
}

// What the build wants that only a session gives; empty for nothing.
std::string needs_session(const build_options& options) {
  if (!options.secrets.empty()) return "a secret";
  if (!options.ssh_agents.empty()) return "an ssh agent";
  if (comes_here(options.output)) return "a result that comes to this machine";
  if (needs_receiver(options.output)) return "a build without a result";
  return {};
}

std::string needs_buildkit(const build_options& options) {
  if (const std::string needed = needs_session(options); !needed.empty()) return needed;
  if (options.inline_cache) return "an inline cache";
  return {};
}

error_code refuse(std::string words, diagnostics& why) {
  why.clear();
  why.set_client_message(std::move(words));
  return errc::unsupported_parameter;
}

// Whether the classic builder will do where BuildKit cannot build, for this reason.
result<void> may_go_classic(const build_options& options, const std::string& reason, diagnostics& why) {
  if (options.builder == builder_choice::buildkit) return refuse(reason, why);
  const std::string needed = needs_buildkit(options);
  if (!needed.empty()) return refuse(needed + " needs BuildKit, and " + reason, why);
  return result<void>();
}

// What the build takes from this machine is looked at before the daemon is asked for anything.
task<void> check_inputs(std::shared_ptr<build_job> job, diagnostics& why) {
  build_options& options = job->options;
  if (auto checked = check(options.output, why); !checked) co_return checked.error();
  for (std::string& name : options.output.names) {
    auto& tags = options.image.tags;
    if (std::ranges::find(tags, name) == tags.end()) tags.push_back(std::move(name));
  }
  if (options.output.push && options.image.tags.empty()) {
    why.set_client_message("an image needs a name to be pushed by");
    co_return make_error_code(errc::invalid_argument);
  }
  if (auto checked = engine::requests::check(options.image, why); !checked) co_return checked.error();
  if (options.secrets.empty() && options.ssh_agents.empty()) co_return result<void>();
  auto look = std::make_shared<archive::blocking_job<std::size_t>>();
  look->work = [job](diagnostics& words, const std::atomic<bool>&) -> result<std::size_t> {
    if (auto checked = check_secrets(job->options.secrets, words); !checked) return checked.error();
    if (auto checked = check_ssh_agents(job->options.ssh_agents, words); !checked) return checked.error();
    return job->options.secrets.size() + job->options.ssh_agents.size();
  };
  auto looked = co_await archive::run_blocking(job->work, std::move(look), why);
  if (!looked) co_return looked.error();
  co_return result<void>();
}

// An archive as BuildKit takes it. It would take a plain tar for a Dockerfile when the first name in it needs a
// header of its own, as Python's tarfile and docker-py write it; gzip it knows by its first bytes.
task<archive::archive_format> prepare_archive(std::shared_ptr<build_job> job, diagnostics& why) {
  auto given = std::make_shared<archive::given_archive>(job->daemon.state()->strand, job->archive);
  job->archive = given;
  auto format = co_await given->look();
  if (!format) {
    why = given->why();
    co_return format.error();
  }
  if (*format == archive::archive_format::none) {
    why.set_client_message("the context is no archive: neither a tar nor compressed");
    co_return errc::invalid_argument;
  }
  if (*format == archive::archive_format::tar) given->store_as_gzip();
  co_return *format;
}

// podman looks at all layers that it has, and refuses a cache image with a tag or a digest.
void leave_out_cache_images(build_job& job) {
  std::erase_if(job.options.image.cache_from, [&](const std::string& name) {
    diagnostics ignored;
    const auto read = engine::parse_image_ref(name, ignored);
    if (!read || (read->tag.empty() && read->digest.empty())) return false;
    progress::event news;
    news.body = progress::warning{"podman takes no cache image with a tag: " + name + " is left out"};
    if (job.on_event) job.on_event(news);
    return true;
  });
}

task<build_result> build(std::shared_ptr<build_job> job, diagnostics& why) {
  const build_options& options = job->options;
  if (!job->context && !job->archive == options.image.remote.empty()) {
    why.set_client_message("a build takes either an archive or a remote context");
    co_return errc::invalid_argument;
  }
  if (auto checked = co_await check_inputs(job, why); !checked) co_return checked.error();
  if (options.builder == builder_choice::classic) {
    const std::string needed = needs_buildkit(options);
    if (!needed.empty())
      co_return refuse(needed + " needs BuildKit, and the classic builder was chosen", why);
    co_return co_await build_classically(std::move(job), why);
  }
  if (job->archive) {
    auto format = co_await prepare_archive(job, why);
    if (!format) co_return format.error();
    if (*format == archive::archive_format::zstd) {
      const std::string reason = "BuildKit takes no archive that zstd has compressed";
      if (auto may = may_go_classic(options, reason, why); !may) co_return may.error();
      tell_builder(*job, builder_kind::classic, reason);
      co_return co_await build_classically(std::move(job), why);
    }
  }
  session_refused refused;
  auto built = co_await build_with_session(job, refused, why);
  if (built || !refused.code) co_return built;

  const daemon_words daemon = co_await ask_daemon(job->daemon);
  if (co_await is_cancelled()) co_return aborted();
  const std::string name = daemon.name.empty() ? "the daemon" : "the daemon, " + daemon.name + ",";
  const std::string reason = " (" + refused.words + ")";
  const std::string session = name + " has no sessions" + reason;
  if (const std::string needed = needs_session(options); !needed.empty())
    co_return refuse(needed + " needs a session of BuildKit, and " + session, why);
  why.clear();
  if (daemon.buildkit) {
    tell_builder(*job, builder_kind::buildkit, session + "; it gets the context as a whole");
    co_return co_await build_with_body(std::move(job), why);
  }
  const std::string none = name + " has no BuildKit" + reason;
  if (auto may = may_go_classic(options, none, why); !may) co_return may.error();
  const bool podman = daemon.name.starts_with("Libpod");
  if (podman && !job->context && !job->archive)
    co_return refuse("podman fetches no context from \"" + options.image.remote + "\"", why);
  tell_builder(*job, builder_kind::classic, none);
  if (podman) leave_out_cache_images(*job);
  co_return co_await build_classically(std::move(job), why);
}

task<build_result> build_and_finish(std::shared_ptr<build_job> job, diagnostics& why) {
  auto built = co_await build(job, why);
  if (!built || built->image_id.empty()) co_return built;
  if (job->options.digests) built = co_await with_digests(job, std::move(*built));
  if (!built || !job->options.output.push) co_return built;
  co_return co_await pushed(std::move(job), std::move(*built), why);
}

void start(std::shared_ptr<build_job> job, diagnostics* why, completion_handler<build_result> handler) {
  const auto executor = job->daemon.state()->strand;
  spawn<build_result>(executor, why, std::move(handler), [job = std::move(job)](diagnostics& words) mutable {
    return build_and_finish(std::move(job), words);
  });
}

}  // namespace

void start_build(engine::client daemon, archive::build_context context, build_options options,
                 progress::event_sink on_event, diagnostics* why, completion_handler<build_result> handler) {
  auto job = std::make_shared<build_job>(std::move(daemon), std::move(options), std::move(on_event));
  job->work = context.shared()->work;
  job->keep = context.shared()->pool;
  job->context = std::move(context);
  start(std::move(job), why, std::move(handler));
}

void start_build_archive(engine::client daemon, std::shared_ptr<byte_source> archive, build_options options,
                         progress::event_sink on_event, diagnostics* why,
                         completion_handler<build_result> handler) {
  auto job = std::make_shared<build_job>(std::move(daemon), std::move(options), std::move(on_event));
  job->archive = std::move(archive);
  job->work = job->daemon.state()->strand;
  if (!needs_session(job->options).empty()) {
    auto pool = archive::make_work_pool();
    job->work = executor_of(*pool);
    job->keep = std::move(pool);
  }
  start(std::move(job), why, std::move(handler));
}

}  // namespace dockline::buildkit
