#pragma once

// moby.sshforward.v1.SSH: has the steps of a build talk to ssh agents of this side.
//
// Source: moby/buildkit, session/sshforward/ssh.proto.

#include "dockline/buildkit/ssh.hpp"

#include "grpc/service.hpp"

#include <vector>

namespace dockline::buildkit {

// Adds the methods.
void offer_ssh_agents(grpc::service& to, std::vector<ssh_agent> agents);

}  // namespace dockline::buildkit
