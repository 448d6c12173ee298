#pragma once

// POST /build with the classic builder.

#include "dockline/core/byte_source.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/registry_auth.hpp"
#include "dockline/progress/event.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::engine {

// A limit on what a process of a RUN may use, as in `docker build --ulimit`.
struct ulimit {
  ulimit() = default;
  // As `--ulimit nofile=1024:2048` has it: the name, then the limits.
  ulimit(std::string kind, std::int64_t soft_limit, std::int64_t hard_limit)
      : name(std::move(kind)), soft(soft_limit), hard(hard_limit) {}

  std::string name;       // "nofile"
  std::int64_t soft = 0;  // -1 is unlimited
  std::int64_t hard = 0;  // at least `soft`
};

// Every parameter of POST /build. Empty fields are not sent, so that the daemon's own default applies. Names
// and meaning are those of the API; sizes are bytes.
struct build_options {
  build_options() = default;

  // The path of the Dockerfile in the context. Empty: the daemon looks for "Dockerfile", then "dockerfile".
  std::string dockerfile;
  // References that the image gets. Checked here first: a bad one is errc::invalid_reference.
  std::vector<std::string> tags;
  // A context that the daemon fetches itself, a Git or HTTP URL; the source is then null. podman (4.3 to 5.8)
  // fetches nothing, and misses the Dockerfile.
  std::string remote;
  // Values of ARG; an empty one means "without a value", like `--build-arg NAME` of an unset variable.
  std::map<std::string, std::optional<std::string>> build_args;
  // Metadata of the image, as LABEL sets it: {"org.example.revision", "1f6c0d"}.
  std::map<std::string, std::string> labels;
  // The stage to stop at. Empty: the last one. Since API 1.29, ignored below: the last one is built.
  std::string target;
  // "linux/amd64"; a single one. Since API 1.32.
  std::string platform;
  // What the daemon logs in with to the registries that it pulls from, by registry: found_credentials::auths.
  std::map<std::string, registry_auth> registry_auths;
  // Images whose layers may serve as cache. Since API 1.25, ignored below.
  std::vector<std::string> cache_from;
  // Run every step, whatever the cache has.
  bool no_cache = false;
  // Look for newer base images.
  bool pull = false;
  // Remove the containers of steps that worked.
  bool remove_intermediate = true;
  // Remove those of steps that failed as well, so that nothing is left.
  bool force_remove = true;
  bool squash = false;  // experimental daemons only
  bool quiet = false;   // the daemon answers with the id alone

  // Of the containers of RUN, as all down to security_opt: "host", "none", "bridge", "container:ID". Since API
  // 1.25, ignored below.
  std::string network_mode;
  // Names that they know: "name:address", address may be "host-gateway". Since API 1.28, ignored below.
  std::vector<std::string> extra_hosts;
  std::int64_t memory = 0;                // bytes; 0 is no limit
  std::int64_t memory_swap = 0;           // memory and swap together; -1 is unlimited
  std::int64_t cpu_shares = 0;            // weight against other containers; 1024 is a container's usual one
  std::int64_t cpu_period = 0;            // microseconds
  std::int64_t cpu_quota = 0;             // microseconds in each period
  std::string cpuset_cpus;                // "0-2,5"
  std::string cpuset_mems;                // memory nodes: "0,1"
  std::string cgroup_parent;              // the cgroup that theirs are made in
  std::int64_t shm_size = 0;              // bytes of /dev/shm; 0: the daemon's default, usually 64 MiB
  std::vector<ulimit> ulimits;            // limits on their processes
  std::string isolation;                  // Windows only
  std::vector<std::string> security_opt;  // Windows only; a daemon on Linux refuses it

  // Where the result goes, as JSON of the API: [{"Type":"local"}]. Since API 1.40, BuildKit only.
  std::string outputs;
  // Identifies the build for /build/cancel, BuildKit only. Since API 1.39.
  std::string build_id;
  // Has BuildKit build, with the context as the body. What needs a session it cannot have then: secrets, SSH,
  // private base images, a result that goes elsewhere; see dockline/buildkit/build.hpp. Since API 1.39;
  // podman takes no notice.
  bool buildkit = false;
  // The session that BuildKit asks for files and credentials; for programs that serve their own.
  std::string session;
};

// What a build made.
struct built_image {
  built_image() = default;

  std::string id;                     // "sha256:" and 64 hexadecimal digits
  std::vector<std::string> warnings;  // what the daemon warned of
};

DOCKLINE_API void start_build(client daemon, std::shared_ptr<byte_source> context, build_options options,
                              progress::event_sink on_event, diagnostics* why,
                              completion_handler<built_image> handler);

// Builds an image from a context, a tar that may be compressed with gzip, bzip2 or xz, with the classic
// builder. The context is pulled as the daemon takes it, two blocks of 256 KiB at a time; the daemon's
// messages arrive as events meanwhile.
//
// Completion: when the daemon has told the image's id, or the build failed. An error inside the answer's 200
// is a failure, and so is an answer that ends with neither id nor error.
// Signature: void(error_code, built_image).
// Lifetimes: `why` stays until completion; everything else is kept by the operation. `on_event` may be empty; it
// gets progress::context_progress, the events of steps from progress::step_started to progress::step_failed,
// progress::step_log, progress::layer_progress, progress::warning, progress::image_built and
// progress::image_tagged.
// Cancellation: any type. The connection is closed, upon which dockerd ends the running step and tags
// nothing; podman (4.3 to 5.8) lets the step run to its end first. The client stays usable.
// Errors: errc::build_failed, with diagnostics::step() telling where; errc::no_outcome; before anything is sent
// errc::invalid_reference and errc::invalid_argument, the latter also for both or neither of a context and
// `remote`; errc::unsupported_parameter; the context's own errors; those of async_ping; errc::malformed_json, and
// errc::message_too_long for a message above 16 MiB.
// Source: Docker Engine API, ImageBuild, since 1.0.
// Example: docs/guide/first-build.md.
template <class Token = default_token>
auto async_build(const client& daemon, std::shared_ptr<byte_source> context, build_options options,
                 progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<built_image>(&start_build, std::forward<Token>(token), &why, daemon, std::move(context),
                               std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_build(const client& daemon, std::shared_ptr<byte_source> context, build_options options,
                 progress::event_sink on_event, Token&& token = {}) {
  return initiate<built_image>(&start_build, std::forward<Token>(token), nullptr, daemon, std::move(context),
                               std::move(options), std::move(on_event));
}

}  // namespace dockline::engine
