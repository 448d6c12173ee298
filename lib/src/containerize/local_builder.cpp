#include "dockline/containerize/local_builder.hpp"

#include "dockline/engine/distribution.hpp"
#include "dockline/engine/dockerfile_images.hpp"
#include "dockline/engine/image_ref.hpp"
#include "dockline/engine/image_transfer.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/system.hpp"

#include "containerize/build_tally.hpp"
#include "containerize/daemon_build.hpp"
#include "core/spawn.hpp"
#include "engine/client_state.hpp"

#include <algorithm>
#include <utility>

namespace dockline::containerize {
namespace {

// What the operations of a builder share.
struct local_state {
  local_state(engine::client whose, local_builder_options how)
      : daemon(std::move(whose)), options(std::move(how)) {}

  engine::client daemon;
  local_builder_options options;
};

std::string domain_of(const std::string& image) {
  diagnostics ignored;
  const auto reference = engine::parse_image_ref(image, ignored);
  return reference ? reference->domain : std::string();
}

// Asks `login` for a registry that the store has nothing for. Fails when it is cancelled, and only then.
task<void> log_in(std::shared_ptr<local_state> state, std::string registry,
                  engine::found_credentials& found) {
  diagnostics words;
  auto start = [state, registry, where = &words](auto handler) {
    state->options.login(registry, where, completion_handler<engine::registry_auth>(std::move(handler)));
  };
  auto [code, auth] =
      co_await asio::async_initiate<const unless_cancelled_t, void(error_code, engine::registry_auth)>(
          start, unless_cancelled);
  if (code == condition::cancelled) co_return code;
  if (co_await is_cancelled()) co_return aborted();
  if (code)
    found.warnings.push_back("no credentials for " + registry + ": " + describe(code, words));
  else if (!auth.anonymous())
    found.auths.insert_or_assign(std::move(registry), std::move(auth));
  co_return result<void>();
}

task<engine::found_credentials> find_credentials(std::shared_ptr<local_state> state,
                                                 std::vector<std::string> registries, diagnostics& why) {
  auto [code, found] = co_await engine::async_find_credentials(
      state->daemon.get_executor(), state->options.credentials, registries, why, unless_cancelled);
  if (code) co_return code;
  if (!state->options.login) co_return std::move(found);
  for (std::string& registry : registries) {
    if (found.auths.contains(registry)) continue;
    if (auto asked = co_await log_in(state, std::move(registry), found); !asked) co_return asked.error();
  }
  co_return std::move(found);
}

engine::registry_auth auth_for(const engine::found_credentials& found, const std::string& image) {
  const auto known = found.auths.find(domain_of(image));
  return known == found.auths.end() ? engine::registry_auth() : known->second;
}

bool says_absent(error_code code) {
  return code == condition::not_found || code == condition::unauthorized || code == condition::denied;
}

task<image_lookup> look_up(std::shared_ptr<local_state> state, std::string image, diagnostics& why) {
  image_lookup answer;
  {
    auto [code, found] = co_await engine::async_image_inspect(state->daemon, image, why, unless_cancelled);
    if (code == condition::cancelled) co_return code;
    if (!code) {
      answer.presence = image_presence::present;
      co_return answer;
    }
    if (code != condition::not_found) {
      answer.reason = describe(code, why);
      co_return answer;
    }
  }
  std::vector<std::string> registries(1, domain_of(image));
  auto credentials = co_await find_credentials(state, std::move(registries), why);
  if (!credentials) co_return credentials.error();
  engine::registry_auth auth = auth_for(*credentials, image);
  auto [code, found] = co_await engine::async_distribution_inspect(state->daemon, image, std::move(auth), why,
                                                                   unless_cancelled);
  if (code == condition::cancelled) co_return code;
  answer.presence = !code               ? image_presence::present
                    : says_absent(code) ? image_presence::absent
                                        : image_presence::unknown;
  if (code) answer.reason = describe(code, why);
  co_return answer;
}

// One build. Kept by its coroutine, and by the sinks that it gave away.
class local_build {
 public:
  local_build(std::shared_ptr<local_state> state, image_order order, progress::event_sink on_event)
      : state_(std::move(state)),
        order_(std::move(order)),
        tally_(std::make_shared<build_tally>(std::move(on_event))) {}

  task<containerized_image> run(diagnostics& why) {
    auto context = co_await open_context(why);
    if (!context) co_return context.error();
    auto known = co_await find_build_credentials(*context, why);
    if (!known) co_return known.error();
    credentials_ = std::move(*known);
    for (const auto& text : credentials_.warnings) tally_->warn(text);

    containerized_image image;
    image.image_uri = order_.image;
    auto builder = co_await build(std::move(*context), why);
    if (!builder) co_return builder.error();
    image.builder = std::move(*builder);
    if (order_.push) {
      auto pushed = co_await push(why);
      if (!pushed) co_return pushed.error();
      image.digest = std::move(*pushed);
    }
    tally_->add_to(image);
    co_return image;
  }

 private:
  progress::event_sink sink() const {
    return [tally = tally_](const progress::event& what) { tally->tell(what); };
  }

  task<archive::build_context> open_context(diagnostics& why) {
    archive::context_options options = order_.context;
    // Whoever builds at last sees to its own: the classic builder gets what docker sends it.
    options.mode = archive::ignore_mode::buildkit;
    options.compress = state_->options.compress;
    options.compression_level = state_->options.compression_level;
    auto [code, context] = co_await archive::async_open_context(state_->daemon.get_executor(),
                                                                std::move(options), why, unless_cancelled);
    if (code) co_return code;
    co_return std::move(context);
  }

  task<engine::found_credentials> find_build_credentials(const archive::build_context& context,
                                                         diagnostics& why) {
    engine::build_options reads = state_->options.build;
    if (!order_.cache_from.empty()) reads.cache_from.assign(1, order_.cache_from);
    auto registries = engine::registries_of_build(context.dockerfile_text(), reads);
    if (const std::string target = domain_of(order_.image);
        order_.push && std::ranges::find(registries, target) == registries.end())
      registries.push_back(target);
    auto found = co_await find_credentials(state_, std::move(registries), why);
    co_return found;
  }

  // Whether the daemon has the cache image, as new as it can be had.
  task<image_presence> fetch_cache(diagnostics& why) {
    engine::pull_options options;
    options.auth = auth_for(credentials_, order_.cache_from);
    diagnostics words;
    auto [code, pulled] = co_await engine::async_image_pull(
        state_->daemon, order_.cache_from, std::move(options), sink(), words, unless_cancelled);
    if (code == condition::cancelled) co_return code;
    if (!code) co_return image_presence::present;
    auto [missing, image] =
        co_await engine::async_image_inspect(state_->daemon, order_.cache_from, why, unless_cancelled);
    if (missing == condition::cancelled) co_return missing;
    tally_->warn("cache image " + order_.cache_from + " cannot be pulled: " + describe(code, words) +
                 (missing ? "; building without it" : "; taking the copy that the daemon has"));
    co_return missing ? image_presence::absent : image_presence::present;
  }

  // The name of the builder that it was.
  task<std::string> build(archive::build_context context, diagnostics& why) {
    auto [unreached, daemon] = co_await engine::async_ping(state_->daemon, why, unless_cancelled);
    if (unreached) co_return unreached;
    const bool podman = !daemon.libpod_version.empty();
    daemon_build what(state_->daemon, std::move(context));
    what.options = state_->options.build;
    what.options.tags.assign(1, order_.image);
    what.options.registry_auths = credentials_.auths;
    what.options.cache_from.clear();
    if (!order_.cache_from.empty()) {
      auto fetched = co_await fetch_cache(why);
      if (!fetched) co_return fetched.error();
      // Named without being there it would keep the classic builder from its own layers. podman looks at all
      // layers that it has, and refuses a cache image with a tag.
      if (*fetched == image_presence::present && !podman)
        what.options.cache_from.assign(1, order_.cache_from);
    }
    what.registry_tokens = state_->options.registry_tokens;
    what.builder = state_->options.builder;
    what.inline_cache = !podman;
    what.on_event = sink();
    auto builder = co_await build_on_daemon(std::move(what), why);
    co_return builder;
  }

  // The digest.
  task<std::string> push(diagnostics& why) {
    engine::push_options options;
    options.auth = auth_for(credentials_, order_.image);
    auto [code, pushed] = co_await engine::async_image_push(state_->daemon, order_.image, std::move(options),
                                                            sink(), why, unless_cancelled);
    if (code) co_return code;
    co_return pushed.tags.back().digest;
  }

  std::shared_ptr<local_state> state_;
  image_order order_;
  std::shared_ptr<build_tally> tally_;
  engine::found_credentials credentials_;
};

task<containerized_image> run_build(std::shared_ptr<local_build> build, diagnostics& why) {
  auto image = co_await build->run(why);
  co_return image;
}

class local_builder final : public image_builder {
 public:
  local_builder(engine::client daemon, local_builder_options options)
      : state_(std::make_shared<local_state>(std::move(daemon), std::move(options))) {}

  asio::any_io_executor get_executor() const override { return state_->daemon.get_executor(); }

  void start_look_up(std::string image, diagnostics* why, completion_handler<image_lookup> handler) override {
    spawn<image_lookup>(state_->daemon.state()->strand, why, std::move(handler),
                        [state = state_, image = std::move(image)](diagnostics& words) mutable {
                          return look_up(std::move(state), std::move(image), words);
                        });
  }

  void start_build(image_order order, progress::event_sink on_event, diagnostics* why,
                   completion_handler<containerized_image> handler) override {
    auto build = std::make_shared<local_build>(state_, std::move(order), std::move(on_event));
    spawn<containerized_image>(
        state_->daemon.state()->strand, why, std::move(handler),
        [build = std::move(build)](diagnostics& words) { return run_build(build, words); });
  }

 private:
  std::shared_ptr<local_state> state_;
};

}  // namespace

std::shared_ptr<image_builder> make_local_builder(engine::client daemon, local_builder_options options) {
  return std::make_shared<local_builder>(std::move(daemon), std::move(options));
}

}  // namespace dockline::containerize
