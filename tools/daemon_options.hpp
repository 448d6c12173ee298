#pragma once

#include "command.hpp"

namespace dockline::tool {

// The global options that say which daemon is meant, named as docker names them.
void add_daemon_options(CLI::App& app, global_options& global);

}  // namespace dockline::tool
