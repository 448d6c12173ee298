#pragma once

// Credentials as the Engine API takes them in a request's fields: JSON in base64url, padded. dockerd drops
// any other form silently and goes on without credentials.

#include "dockline/engine/registry_auth.hpp"

#include <map>
#include <string>

namespace dockline::engine {

// X-Registry-Auth of push, pull and the like. Anonymous is `{}`: dockerd 20 and 26 refuse a push without the
// field.
std::string encode_registry_auth(const registry_auth& auth);

// X-Registry-Config of a build, by registry; `{}` for none. The keys are normalised by registry_key(), since
// dockerd looks Docker Hub up by its URL and podman fails on other keys with a scheme.
std::string encode_registry_config(const std::map<std::string, registry_auth>& auths);

}  // namespace dockline::engine
