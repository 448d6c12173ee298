#pragma once

// One operation of the library against a fake daemon.

#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/system.hpp"

#include "exchange/operation_loop.hpp"
#include "support/scripted_source.hpp"

#include <string_view>

namespace dockline::test {

// What daemon a test talks to, and with what deadlines. The version is given, so that no ping is sent.
inline engine::client_options options_for(const std::string& host) {
  engine::client_options options;
  options.host = host;
  options.api_version = "1.41";
  return options;
}

// A client of a daemon on a loop.
class conversation : public operation_loop {
 public:
  explicit conversation(engine::client_options options)
      : daemon(context.get_executor(), std::move(options)) {}
  explicit conversation(const fake_daemon& other) : conversation(options_for(other.host())) {}

  engine::client daemon;

  auto begin_build(std::shared_ptr<byte_source> source, progress::event_sink sink = {}) {
    return begin<engine::built_image>([&](diagnostics& why, auto token) {
      engine::async_build(daemon, std::move(source), engine::build_options(), std::move(sink), why,
                          std::move(token));
    });
  }
  outcome<engine::built_image> build(std::shared_ptr<byte_source> source, progress::event_sink sink = {}) {
    return end_of(begin_build(std::move(source), std::move(sink)));
  }
  outcome<engine::built_image> build(std::uint64_t size = 1000) {
    return build(std::make_shared<scripted_source>(context.get_executor(), size));
  }

  auto begin_version() {
    return begin<engine::version_result>(
        [&](diagnostics& why, auto token) { engine::async_version(daemon, why, std::move(token)); });
  }
  outcome<engine::version_result> version() { return end_of(begin_version()); }
};

inline const std::string image_id = "sha256:" + std::string(64, 'a');
inline const std::string built = "{\"aux\":{\"ID\":\"" + image_id + "\"}}\r\n";
inline const std::string version_answer = json_answer(R"({"Version":"1.2.3","ApiVersion":"1.41"})");

// A daemon's script for a client that only builds and asks for the version, as often as it likes.
inline void serve_everything(peer& client) {
  for (;;) {
    const bool build = client.read_request().line().find("/build?") != std::string::npos;
    client.send(build ? chunked_answer({built}) : version_answer);
  }
}

}  // namespace dockline::test
