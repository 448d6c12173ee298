#pragma once

// The ssh agents of a build: what `RUN --mount=type=ssh,id=ID` may ask to sign for it.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline {
class diagnostics;
}

namespace dockline::buildkit {

// An agent that steps of a build may use. They can list its keys and have it sign, nothing else: keys are
// neither added nor removed, and the agent is not locked.
struct ssh_agent {
  ssh_agent() = default;
  // As `--ssh ID=SOCKET` has it.
  ssh_agent(std::string name, std::string path) : id(std::move(name)), socket(std::move(path)) {}

  std::string id = "default";  // by what RUN asks for it
  std::string socket;          // the path of its Unix socket
};

// Reads an agent as `docker build --ssh` has it: "default", "ID" or "ID=SOCKET". Without a socket it is that
// of the environment variable SSH_AUTH_SOCK. (Keys in files, which docker also takes, are an agent's to
// hold.)
// Errors: errc::invalid_argument; `why` says what is missing.
DOCKLINE_API result<ssh_agent> parse_ssh_agent(std::string_view text, diagnostics& why);

// Whether a build could go on with these: each has an id and no two have the same, and somebody listens on
// each socket. Connects, without waiting.
// Errors: errc::invalid_argument; `why` names the agent and the socket.
DOCKLINE_API result<void> check_ssh_agents(const std::vector<ssh_agent>& agents, diagnostics& why);

}  // namespace dockline::buildkit
