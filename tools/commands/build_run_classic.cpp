// What `build` does in a dockline that was built without BuildKit.

#include <dockline/engine/images.hpp>

#include "commands/build_run.hpp"
#include "commands/context_arguments.hpp"

#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

struct buildkit_request {
  bool digests = false;
};

bool may_use_buildkit(const build_arguments&) { return false; }

bool makes_image(const buildkit_request&) { return true; }

std::shared_ptr<buildkit_request> read_buildkit_request(build_arguments& arguments, console& terminal) {
  const auto refuse = [&](const char* option) {
    terminal.error(std::string(option) + ": this dockline was built without BuildKit");
    return nullptr;
  };
  if (arguments.builder == "buildkit") return refuse("--builder buildkit");
  if (!arguments.output.empty()) return refuse("--output");
  if (!arguments.cache_to.empty()) return refuse("--cache-to");
  if (!arguments.secrets.empty()) return refuse("--secret");
  if (!arguments.ssh.empty()) return refuse("--ssh");
  auto request = std::make_shared<buildkit_request>();
  request->digests = !arguments.metadata_file.empty();
  return request;
}

asio::awaitable<result<made_image>> run_build(engine::client daemon, build_source source,
                                              engine::build_options options,
                                              std::shared_ptr<buildkit_request> request,
                                              progress::event_sink on_event, diagnostics& why) {
  if (source.context) {
    options.dockerfile = source.context->dockerfile_name();
    source.body = source.context->with_mode(archive::ignore_mode::classic).pack();
  }
  auto [code, built] = co_await engine::async_build(daemon, source.body, std::move(options),
                                                    std::move(on_event), why, no_throw);
  if (code) co_return code;
  made_image image;
  image.id = std::move(built.id);
  if (!request->digests) co_return image;
  // The image is there, whether or not the daemon tells more of it.
  diagnostics unheard;
  auto [unknown, found] = co_await engine::async_image_inspect(daemon, image.id, unheard, no_throw);
  if (unknown == condition::cancelled) co_return unknown;
  if (!unknown) {
    image.config_digest = std::move(found.config_digest);
    image.manifest_digest = std::move(found.manifest_digest);
  }
  co_return image;
}

}  // namespace dockline::tool
