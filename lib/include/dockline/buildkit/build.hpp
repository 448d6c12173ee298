#pragma once

// Builds with BuildKit and a session: the daemon asks for the files that it lacks, and for credentials when
// it needs them. Where a daemon has neither, its classic builder builds.

#include "dockline/archive/build_context.hpp"
#include "dockline/buildkit/secret.hpp"
#include "dockline/buildkit/ssh.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/byte_source.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/credentials.hpp"
#include "dockline/engine/token_fetching.hpp"
#include "dockline/progress/event.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::buildkit {

// Which of a daemon's builders shall build.
enum class builder_choice {
  automatic,  // the first of the next two that the daemon has; which, tells a progress::builder_chosen
  buildkit,   // errc::unsupported_parameter when the daemon has none
  classic     // the classic one, also where there is BuildKit
};

// Which of a daemon's builders did build.
enum class builder_kind {
  buildkit,  // in a session, or with the context as a whole
  classic    // the classic one, or podman's
};

// Where the result of a build goes.
struct build_output {
  // The ways that there are.
  enum class kind {
    image,   // into the daemon's images, and from there to a registry where `push` is set
    local,   // the files of the result into a directory of this machine
    tar,     // the same as a tar
    oci,     // the image as an archive, in the OCI's layout
    docker,  // the same, as `docker load` takes it
    none     // nowhere: the build fills the cache
  };

  build_output() = default;
  // As `--output type=tar,dest=a.tar` has it.
  explicit build_output(kind which, std::string where = {}) : type(which), destination(std::move(where)) {}

  // Where it goes.
  kind type = kind::image;
  // Of `local`, a directory, which is made if it is not there; what is in it stays, unless something of its
  // name comes: a directory is replaced by a file with all that is in it. Of the archives a file, which appears when
  // it is whole.
  std::string destination;
  // Takes the bytes of an archive in the place of `destination`. Called where the context's disk is read, one
  // call at a time; may block; an error ends the build.
  std::function<error_code(std::string_view bytes)> write;
  // Of an `image`: names that it gets beside build_options::image.tags.
  std::vector<std::string> names;
  // Of an `image`: it is pushed under each of its names when it is built, with the credentials that the build
  // has for their registries. By the daemon's own push, since not every daemon's BuildKit has one.
  bool push = false;
  // What else the exporter is told: "compression" of a tar, "name" of an archive.
  std::map<std::string, std::string> attributes;
};

// Reads an output as `docker build --output` has it: "type=local,dest=DIR" ("dst" and "destination" are the
// same), other names being for the exporter; a path alone is a directory for "local", and "-" a "tar" with
// that destination. Of an image "name=NAME,push=true" are `names` and `push`, and "type=registry" is the same as
// "type=image,push=true"; "type=docker" without a destination, which is what `--load` stands for, is an image.
// Errors: errc::invalid_argument; `why` names the part that cannot be read.
DOCKLINE_API result<build_output> parse_output(std::string_view text, diagnostics& why);

// What is built with BuildKit, and where the result goes.
struct build_options {
  build_options() = default;

  // What the image shall be, as for the classic builder: names, arguments, labels, target, platform, cache.
  // `outputs`, `session`, `build_id` and `buildkit` are set by the operation, and of a directory `dockerfile`
  // and `remote` as well. With BuildKit `memory` and the CPU settings have no effect, as the daemon ignores
  // them; so it does with `shm_size` and `ulimits` before API 1.42, of which a warning tells. `registry_auths`
  // are what is logged in with where they name the registry.
  engine::build_options image;

  // Where credentials are looked for when the daemon asks for those of a registry that `image.registry_auths`
  // does not name. Empty: it gets none. Needs a session.
  std::optional<engine::credential_store> credentials;

  // Who fetches the tokens that a registry wants where there are credentials for it.
  engine::token_fetching registry_tokens;

  // What RUN --mount=type=secret sees. Needs a session.
  std::vector<secret> secrets;

  // What RUN --mount=type=ssh may use. Needs a session.
  std::vector<ssh_agent> ssh_agents;

  // Which builder; by default the better one that the daemon has.
  builder_choice builder = builder_choice::automatic;

  // Where the result goes; by default into the daemon's images.
  build_output output;

  // Writes into the image what a later build needs to take its layers as cache (`cache_from`).
  bool inline_cache = false;

  // Asks the daemon for the digests of the image that was built: one request more.
  bool digests = true;
};

// What a build made.
struct build_result {
  build_result() = default;

  // "sha256:" and 64 hexadecimal digits; empty when the result went elsewhere.
  std::string image_id;
  // The digest of the image's configuration, which is the id in the daemon's older image store. Empty where it was
  // not asked for (build_options::digests), and where the daemon does not tell: of what the classic builder made for
  // containerd's store.
  std::string config_digest;
  // That of its manifest, or of the index of several, which is the id in containerd's store. In the older store only
  // a pushed image has one.
  std::string manifest_digest;
  // Which builder it was.
  builder_kind builder = builder_kind::classic;
  // What the builder warned of.
  std::vector<std::string> warnings;
  // Of a result that came to this side: how many files it has.
  std::uint64_t exported_files = 0;
  // Bytes of their content, or of the archive.
  std::uint64_t exported_bytes = 0;
};

DOCKLINE_API void start_build(engine::client daemon, archive::build_context context, build_options options,
                              progress::event_sink on_event, diagnostics* why,
                              completion_handler<build_result> handler);

// Builds an image from a context. A session is opened, and through it the daemon reads what it lacks: of a
// context that it has seen before, the files that changed since. Where it refuses a session, BuildKit gets
// the context as a whole, and where it has no BuildKit (podman), the classic builder does.
//
// Completion: when the daemon has told the outcome and the session is over.
// Signature: void(error_code, build_result).
// Lifetimes: `why` stays until completion; everything else is kept by the operation. `on_event` may be empty;
// it gets progress::builder_chosen first, where there was a choice, then progress::context_progress, the events
// of steps, progress::layer_progress, progress::warning, progress::image_built and progress::image_tagged, and
// of a push progress::transfer_finished.
// Cancellation: any type. The build's connection and its session are closed, and the daemon is asked, for two
// seconds at most, to cancel the build; nothing is tagged. Once the image is built it has its names, and what
// was pushed stays. Files of a `local` result that have come stay; an archive does not appear. The client stays
// usable.
// Errors: errc::build_failed, with diagnostics::step() telling the step, its exit code, its last lines, and
// the lines of the Dockerfile; errc::unsupported_parameter for what this daemon cannot do;
// errc::unreadable_file and errc::file_changed, with the path; errc::cannot_write, with the path;
// errc::connection_lost and errc::malformed_http2 when the session ended before the build; those of
// engine::async_build, and those of engine::async_image_push where the image is pushed, which the daemon has by
// then.
// Source: Docker Engine API, ImageBuild with version=2 and Session, since 1.39 (an older daemon is one without
// BuildKit); moby/buildkit, session.
// Example: docs/guide/buildkit.md.
template <class Token = default_token>
auto async_build(const engine::client& daemon, archive::build_context context, build_options options,
                 progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<build_result>(&start_build, std::forward<Token>(token), &why, daemon, std::move(context),
                                std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_build(const engine::client& daemon, archive::build_context context, build_options options,
                 progress::event_sink on_event, Token&& token = {}) {
  return initiate<build_result>(&start_build, std::forward<Token>(token), nullptr, daemon, std::move(context),
                                std::move(options), std::move(on_event));
}

DOCKLINE_API void start_build_archive(engine::client daemon, std::shared_ptr<byte_source> archive,
                                      build_options options, progress::event_sink on_event, diagnostics* why,
                                      completion_handler<build_result> handler);

// Builds an image from an archive: a tar, plain or compressed with gzip, bzip2 or xz. With none the daemon
// fetches what `options.image.remote` names: a Git repository, or a tar or Dockerfile by HTTP.
// `options.image.dockerfile` is the Dockerfile's path in there. Through a session the daemon asks for
// credentials, secrets and SSH; where it refuses one, and where it has no BuildKit, this is as async_build.
// A tar by zstd goes to the classic builder, since BuildKit knows none.
//
// Completion: when the daemon has told the outcome and the session is over.
// Signature: void(error_code, build_result).
// Lifetimes: `why` stays until completion; everything else is kept by the operation. `on_event` may be empty.
// Secrets are read, and results written, on threads of the operation's own.
// Cancellation: as async_build.
// Errors: errc::invalid_argument for an archive that is none, and for both or neither of the two; those of
// the archive; those of async_build, where the lines of the Dockerfile are not known.
// Source: as async_build.
// Example: tools/commands/build_run.cpp.
template <class Token = default_token>
auto async_build_archive(const engine::client& daemon, std::shared_ptr<byte_source> archive,
                         build_options options, progress::event_sink on_event, diagnostics& why,
                         Token&& token = {}) {
  return initiate<build_result>(&start_build_archive, std::forward<Token>(token), &why, daemon,
                                std::move(archive), std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_build_archive(const engine::client& daemon, std::shared_ptr<byte_source> archive,
                         build_options options, progress::event_sink on_event, Token&& token = {}) {
  return initiate<build_result>(&start_build_archive, std::forward<Token>(token), nullptr, daemon,
                                std::move(archive), std::move(options), std::move(on_event));
}

}  // namespace dockline::buildkit
