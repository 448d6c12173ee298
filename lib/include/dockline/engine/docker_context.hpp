#pragma once

// The contexts of the docker CLI: daemons that have a name.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"
#include "dockline/http/tls_options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline {
class diagnostics;
}

namespace dockline::engine {

// A context, as far as a client needs it.
struct docker_context {
  docker_context() = default;

  std::string name;         // "build-host"
  std::string description;  // what its maker wrote; usually empty
  std::string host;         // "tcp://build.example:2376"
  http::tls_options tls;    // enabled when the context has any TLS file, or wants none to be verified
};

// Reads a context as `docker context create` stored it: contexts/meta and contexts/tls below docker's
// configuration directory. Waits for the disk. The TLS files are found, not read.
// Errors: errc::invalid_argument when there is no such context; errc::bad_configuration, with path and place,
// when it cannot be understood, or is no context of a docker daemon.
DOCKLINE_API result<docker_context> read_docker_context(const std::string& config_directory,
                                                        std::string_view name, diagnostics& why);

// What is stored, and what cannot be read of it.
struct docker_context_list {
  docker_context_list() = default;

  std::vector<docker_context> contexts;  // by name
  std::vector<std::string> problems;     // of those that cannot be read: path, place and reason
};

// All contexts that are stored. Waits for the disk.
DOCKLINE_API docker_context_list list_docker_contexts(const std::string& config_directory);

}  // namespace dockline::engine
