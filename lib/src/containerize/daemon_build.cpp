#include "containerize/daemon_build.hpp"

#include "dockline/buildkit/build.hpp"

namespace dockline::containerize {
namespace {

buildkit::builder_choice choice_of(daemon_builder builder) {
  switch (builder) {
    case daemon_builder::automatic: return buildkit::builder_choice::automatic;
    case daemon_builder::buildkit: return buildkit::builder_choice::buildkit;
    case daemon_builder::classic: return buildkit::builder_choice::classic;
  }
  return buildkit::builder_choice::automatic;
}

}  // namespace

task<std::string> build_on_daemon(daemon_build what, diagnostics& why) {
  buildkit::build_options options;
  options.image = std::move(what.options);
  options.registry_tokens = std::move(what.registry_tokens);
  options.builder = choice_of(what.builder);
  options.inline_cache = what.inline_cache && what.builder != daemon_builder::classic;
  // The push tells the digest that counts.
  options.digests = false;
  auto [code, built] = co_await buildkit::async_build(what.daemon, what.context, options, what.on_event, why,
                                                      unless_cancelled);
  // A daemon without BuildKit refuses the inline cache, before anything is sent.
  if (code == errc::unsupported_parameter && options.inline_cache) {
    options.inline_cache = false;
    auto [second_code, second] = co_await buildkit::async_build(what.daemon, what.context, options,
                                                                what.on_event, why, unless_cancelled);
    code = second_code;
    built = std::move(second);
  }
  if (code) co_return code;
  co_return built.builder == buildkit::builder_kind::buildkit ? "buildkit" : "classic";
}

}  // namespace dockline::containerize
