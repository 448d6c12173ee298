#pragma once

#include <string_view>

namespace CLI {
class App;
}

namespace dockline::tool {

// The text of commands/NAME.md, which the build embeds; empty when there is none.
std::string_view help_page(std::string_view command);

// Gives every command its page below the list of its options, and `run` a usage line of its own.
void add_help_pages(CLI::App& app);

}  // namespace dockline::tool
