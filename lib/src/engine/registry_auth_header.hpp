#pragma once

// Credentials as the Engine API takes them. In a request's fields it is JSON in base64url, padded: dockerd
// drops any other form silently and goes on without credentials.

#include "dockline/engine/registry_auth.hpp"

#include "engine/endpoint.hpp"

#include <map>
#include <string>

namespace dockline::engine {

// The JSON itself: only the fields that are there, and nothing for an anonymous one.
std::string registry_auth_json(const registry_auth& auth);

// POST /auth, where it is the body.
endpoint auth_check_request(const registry_auth& auth);

// X-Registry-Auth of push, pull and the like. Anonymous is `{}`: dockerd 20 and 26 refuse a push without the
// field.
std::string encode_registry_auth(const registry_auth& auth);

// X-Registry-Config of a build, by registry; `{}` for none. The keys are normalised by registry_key(), since
// dockerd looks Docker Hub up by its URL and podman fails on other keys with a scheme.
std::string encode_registry_config(const std::map<std::string, registry_auth>& auths);

}  // namespace dockline::engine
