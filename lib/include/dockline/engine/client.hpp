#pragma once

#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/engine/connector.hpp"
#include "dockline/http/exchange_event.hpp"
#include "dockline/http/tls_options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace dockline::engine {

// How the daemon is reached, and how long it may take.
struct client_options {
  client_options() = default;

  // Where the daemon listens, as DOCKER_HOST has it: "unix:///run/docker.sock", "tcp://build.example:2376",
  // "ssh://me@build.example". Read when the first operation starts, which then fails with
  // errc::invalid_address where it cannot be read.
  std::string host = "unix:///var/run/docker.sock";

  // TLS on a tcp:// address. Its files are read when the first operation starts.
  http::tls_options tls;

  // What is said as well when nothing answers: where else a daemon might be.
  std::string hint;

  // The API version to speak, "1.41". Empty: the newest that both sides know, asked for once with /_ping.
  std::string api_version;

  // What the daemon's log calls this client.
  std::string user_agent = "dockline/0.1";

  // Fields that each request carries as well, for a proxy before the daemon: "HttpHeaders" of config.json.
  // One that the request has already, or that says how its bytes are framed, is left out.
  std::map<std::string, std::string> headers;

  // Hears of each request to the daemon and its answer, on the client's strand. Secrets are masked.
  http::exchange_observer on_exchange;

  // How long it may take until a connection stands; zero is without end.
  std::chrono::milliseconds connect_timeout{10'000};

  // How long it may take from the request sent to the head of the answer; zero is without end. Operations that
  // are silent for as long as their work takes (builds, transfers, prunes, waiting, following) are not held to it.
  std::chrono::milliseconds answer_timeout{60'000};

  // How long an exchange may be without a byte in either direction; zero is without end. The same operations are
  // not held to it.
  std::chrono::milliseconds idle_timeout{60'000};
};

// Options with `host` taken from the environment variable DOCKER_HOST, when it is set and not empty. For all
// that the docker CLI looks at, its contexts and TLS among them, see choose_daemon().
DOCKLINE_API client_options client_options_from_environment();

struct client_state;

// A Docker daemon, to be handed to every operation of this folder. Copies share connections and the
// negotiated version, so copying is cheap; an operation keeps what it needs, and all copies may go while it
// runs.
//
// Thread safety: operations may be started from any thread, and at once; the client serialises them on a
// strand of its own.
class DOCKLINE_API client {
 public:
  // Does no I/O. Operations run on `executor`, handlers without an executor of their own complete there.
  explicit client(boost::asio::any_io_executor executor, client_options options = {});

  // The same over connections that `connect` makes; `host` and `tls` of the options do not count then.
  client(boost::asio::any_io_executor executor, connector connect, client_options options = {});

  // The executor that it was made with.
  boost::asio::any_io_executor get_executor() const;

  // What the operations of this library are compiled against.
  const std::shared_ptr<client_state>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<client_state> state_;
};

}  // namespace dockline::engine
