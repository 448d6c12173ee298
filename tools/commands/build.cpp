#include "command.hpp"

namespace dockline::tool {
void add_build(command_line) {}
}  // namespace dockline::tool
