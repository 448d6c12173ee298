#pragma once

// moby.buildkit.secrets.v1.Secrets: gives the daemon a secret when a step of the build mounts it.
//
// Source: moby/buildkit, session/secrets/secrets.proto.

#include "dockline/buildkit/secret.hpp"

#include "grpc/service.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <vector>

namespace dockline::buildkit {

// Adds the method. Files are read on `work`.
void offer_secrets(grpc::service& to, std::vector<secret> secrets, boost::asio::any_io_executor work);

}  // namespace dockline::buildkit
