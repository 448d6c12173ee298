#include "help.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace dockline::tool {
namespace {

class formatter : public CLI::Formatter {
 public:
  formatter() { column_width(36); }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    // The image and what follows never reach the parser.
    if (app->get_name() == "run") return "Usage: dockline run [OPTIONS] IMAGE [COMMAND] [ARG...]\n";
    return CLI::Formatter::make_usage(app, std::move(name));
  }

  // The kind of the value alone: that it is required, and its range, are in the text.
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_type_name().empty() || option->get_items_expected_max() == 0
               ? ""
               : " " + option->get_type_name();
  }
};

}  // namespace

void add_help_pages(CLI::App& app) {
  const auto format = std::make_shared<formatter>();
  app.formatter(format);
  app.footer(std::string(help_page("dockline")));
  for (CLI::App* command : app.get_subcommands({})) {
    command->formatter(format);
    command->footer(std::string(help_page(command->get_name())));
  }
}

}  // namespace dockline::tool
