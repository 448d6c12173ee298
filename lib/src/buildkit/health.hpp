#pragma once

#include "grpc/service.hpp"

namespace dockline::buildkit {

// grpc.health.v1.Health: that this side is alive and serving, which it says for as long as it can say
// anything. The daemon asks every few seconds, and ends a session that does not answer.
void offer_health(grpc::service& offered);

}  // namespace dockline::buildkit
