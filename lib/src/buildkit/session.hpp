#pragma once

// A BuildKit session: a connection on which the daemon is the one who asks. It calls the methods that this
// side offers (files, credentials, secrets) while a build with the session's id runs.
//
//     buildkit::session_options options;
//     options.shared_key = key_of(directory);
//     offer_files(options.services, tree);   // each service adds its methods
//     auto open = co_await buildkit::session::open(daemon, std::move(options), why);
//     ... POST /build?session=(*open)->id() ...
//     (*open)->close();
//
// The private half of buildkit/build; nothing of it is a user's.

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/client.hpp"

#include "core/pending.hpp"
#include "core/spawn.hpp"
#include "grpc/service.hpp"

#include <memory>
#include <string>

namespace dockline::buildkit {

struct session_options {
  session_options() = default;

  // What the daemon knows the session by; empty: 32 random hexadecimal digits.
  std::string id;
  // What the daemon's log calls it.
  std::string name = "dockline";
  // Names the place that the files come from. The daemon keeps what it received for "context" and
  // "dockerfile" under this key, and asks the next session with the same key only for what changed.
  std::string shared_key;
  // What the daemon may call. grpc.health.v1.Health is added by the session itself.
  grpc::service services;
};

struct session_state;

class session {
 public:
  // Asks the daemon to take over a connection, and serves it from then on, on the client's strand.
  //
  // Returns when the daemon has taken it: builds that name id() find it.
  // Errors: errc::not_found or others of a refusal when the daemon has no sessions; those of a request.
  // Cancellation: the connection is closed.
  static task<std::unique_ptr<session>> open(engine::client daemon, session_options options,
                                             diagnostics& why);

  explicit session(std::shared_ptr<session_state> state);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  // As close(), but nobody waits for the calls that are still running: they are cancelled and end by
  // themselves.
  ~session();

  const std::string& id() const noexcept;

  // Ends the session, and with it the builds that use it. The calls that are under way are cancelled; wait()
  // tells when they are over. May be called again.
  void close() noexcept;

  // Returns when the session is over and no call runs any more: without an error after close(), else with
  // what ended it. To be called once, from a coroutine on the client's strand; pending<> makes it something
  // to be waited for beside a build. A wait that is cancelled closes the session.
  // Errors: errc::connection_lost when the daemon went away, errc::malformed_http2 when it broke the
  // protocol; `why` has the words.
  task<void> wait(diagnostics& why);

  // Whether it has ended by itself; why, as wait() tells it. For the words of a build's error.
  bool lost() const noexcept;
  error_code failure() const noexcept;
  const std::string& words() const noexcept;

 private:
  std::shared_ptr<session_state> state_;
};

}  // namespace dockline::buildkit
