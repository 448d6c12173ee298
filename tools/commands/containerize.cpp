#include <dockline/archive/context_listing.hpp>
#include <dockline/containerize/containerize.hpp>

#include "commands/containerize_arguments.hpp"
#include "commands/image_builders.hpp"
#include "progress_display.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

// The Dockerfile, an empty line, and the files that it copies, one a line, directories with a '/'.
std::string plan_text(const containerize::containerize_plan& plan, const archive::build_context& context,
                      const archive::context_listing& listing) {
  std::string text = plan.order.context.dockerfile.value() + "\n";
  for (const auto& entry : listing.entries) {
    // What is there for the builder alone: the Dockerfile, and a list that hides it from COPY.
    if (entry.path == context.dockerfile_name()) continue;
    if (entry.path == ".dockerignore" && context.ignore_file().empty()) continue;
    text += entry.path + (entry.type == archive::entry_type::directory ? "/\n" : "\n");
  }
  return text;
}

asio::awaitable<int> show_plan(std::shared_ptr<containerize::image_builder> builder,
                               containerize::containerize_options options, progress_display& display,
                               console& terminal) {
  const auto executor = builder->get_executor();
  diagnostics why;
  auto [refused, plan] = co_await containerize::async_plan_image(
      builder, std::move(options), containerize::containerize_environment_from_environment(), display.sink(),
      why, no_throw);
  display.finish(refused);
  if (refused) co_return static_cast<int>(report(terminal, refused, why));
  archive::context_options wanted = plan.order.context;
  auto [unopened, context] = co_await archive::async_open_context(executor, std::move(wanted), why, no_throw);
  if (unopened) co_return report_unsent(terminal, unopened, why);
  auto [unlisted, listing] = co_await archive::async_list_context(executor, context, why, no_throw);
  if (unlisted) co_return static_cast<int>(report(terminal, unlisted, why));
  terminal.out(plan_text(plan, context, listing));
  co_return status_of_output(terminal);
}

asio::awaitable<int> make_image(std::shared_ptr<containerize::image_builder> builder,
                                containerize::containerize_options options, progress_display& display,
                                bool quiet, console& terminal) {
  diagnostics why;
  auto [code, image] = co_await containerize::async_containerize(
      builder, std::move(options), containerize::containerize_environment_from_environment(), display.sink(),
      why, no_throw);
  display.finish(code);
  if (code) {
    if (const failed_step* step = why.step(); quiet && step != nullptr) terminal.lines(step->log_tail);
    co_return static_cast<int>(report(terminal, code, why));
  }
  terminal.out(image.image_uri + "\n");
  co_return status_of_output(terminal);
}

asio::awaitable<int> containerize_program(asio::any_io_executor executor, global_options global,
                                          containerize_arguments arguments) {
  console terminal;
  auto options = containerize_options_of(arguments, terminal);
  if (!options) co_return static_cast<int>(exit_status::usage);
  diagnostics why;
  // Before a daemon or Google is looked for, which may fail as well.
  if (auto sound = containerize::check_options(*options, why); !sound)
    co_return static_cast<int>(report(terminal, sound.error(), why));
  if (!options->docker.image_build_bucket.empty() && (!global.host.empty() || !global.context.empty())) {
    terminal.error(std::string(global.host.empty() ? "--context" : "--host") +
                   ": nothing is asked of a daemon with --image-build-bucket");
    co_return static_cast<int>(exit_status::usage);
  }
  auto builder = co_await make_image_builder(executor, global, *options, why);
  if (!builder) co_return static_cast<int>(report(terminal, builder.error(), why));
  progress_display display(executor, shown_as(arguments.progress, arguments.quiet), "Building", terminal);
  if (arguments.dry_run)
    co_return co_await show_plan(std::move(*builder), std::move(*options), display, terminal);
  co_return co_await make_image(std::move(*builder), std::move(*options), display, arguments.quiet, terminal);
}

}  // namespace

void add_containerize(command_line line) {
  CLI::App* command = line.add("containerize", "Make an image that runs a Python program or notebook");
  if (!command) return;
  auto arguments = std::make_shared<containerize_arguments>();
  declare(*command, *arguments);
  command->callback([line, arguments] {
    line.chosen = [line, arguments] {
      asio::io_context io(1);
      return run_until_done(io, [&io, line, arguments] {
        return containerize_program(io.get_executor(), line.global, *arguments);
      });
    };
  });
}

}  // namespace dockline::tool
