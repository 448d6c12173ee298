#include "commands/build_run.hpp"

#include <dockline/buildkit/build.hpp>

#include "commands/context_arguments.hpp"
#include "interruptible_write.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dockline::tool {

namespace asio = boost::asio;

struct buildkit_request {
  buildkit::build_options options;
};

namespace {

// Writes an archive to standard output. Called on a thread that may wait.
error_code write_to_stdout(std::string_view bytes) {
  if (write_all(STDOUT_FILENO, bytes)) return {};
  return {errno, boost::system::system_category()};
}

bool read_output(const std::string& text, buildkit::build_output& output, console& terminal) {
  diagnostics why;
  auto read = buildkit::parse_output(text, why);
  if (!read) {
    terminal.error("--output: " + why.client_message());
    return false;
  }
  output = std::move(*read);
  if (output.destination != "-") return true;
  if (::isatty(STDOUT_FILENO) == 1) {
    terminal.error("--output \"" + text + "\": an archive is not written to a terminal; name a file");
    return false;
  }
  output.destination.clear();
  output.write = write_to_stdout;
  return true;
}

made_image image_of(buildkit::build_result built) {
  made_image image;
  image.id = std::move(built.image_id);
  image.config_digest = std::move(built.config_digest);
  image.manifest_digest = std::move(built.manifest_digest);
  return image;
}

}  // namespace

bool may_use_buildkit(const build_arguments& arguments) { return arguments.builder != "classic"; }

bool makes_image(const buildkit_request& request) {
  return request.options.output.type == buildkit::build_output::kind::image;
}

std::shared_ptr<buildkit_request> read_buildkit_request(build_arguments& arguments, console& terminal) {
  auto request = std::make_shared<buildkit_request>();
  buildkit::build_options& options = request->options;
  options.digests = !arguments.metadata_file.empty();
  if (arguments.builder == "buildkit") options.builder = buildkit::builder_choice::buildkit;
  if (arguments.builder == "classic") options.builder = buildkit::builder_choice::classic;
  if (!arguments.output.empty() && !read_output(arguments.output, options.output, terminal)) return nullptr;
  arguments.push |= std::exchange(options.output.push, false);
  for (std::string& name : std::exchange(options.output.names, {})) arguments.tags.push_back(std::move(name));
  diagnostics why;
  for (const std::string& text : arguments.secrets) {
    auto secret = buildkit::parse_secret(text, why);
    if (!secret) {
      terminal.error("--secret: " + why.client_message());
      return nullptr;
    }
    options.secrets.push_back(std::move(*secret));
  }
  for (const std::string& text : arguments.ssh) {
    auto agent = buildkit::parse_ssh_agent(text, why);
    if (!agent) {
      terminal.error("--ssh: " + why.client_message());
      return nullptr;
    }
    options.ssh_agents.push_back(std::move(*agent));
  }
  for (const std::string& text : arguments.cache_to) {
    if (text != "inline" && text != "type=inline") {
      terminal.error("--cache-to \"" + text + "\": the daemon's BuildKit knows type=inline only");
      return nullptr;
    }
    options.inline_cache = true;
  }
  return request;
}

asio::awaitable<result<made_image>> run_build(engine::client daemon, build_source source,
                                              engine::build_options options,
                                              std::shared_ptr<buildkit_request> request,
                                              progress::event_sink on_event, diagnostics& why) {
  buildkit::build_options& asked = request->options;
  asked.image = std::move(options);
  auto store = engine::credential_store_from_environment(why);
  if (!store) co_return store.error();
  asked.credentials = std::move(*store);
  asked.registry_tokens = engine::token_fetching_from_environment();
  if (!source.context) {
    auto [code, built] = co_await buildkit::async_build_archive(daemon, source.body, std::move(asked),
                                                                std::move(on_event), why, no_throw);
    if (code) co_return code;
    co_return image_of(std::move(built));
  }
  auto [code, built] = co_await buildkit::async_build(daemon, std::move(*source.context), std::move(asked),
                                                      std::move(on_event), why, no_throw);
  if (code) co_return code;
  co_return image_of(std::move(built));
}

}  // namespace dockline::tool
