#include "exchange/operation_table.hpp"

#include "dockline/engine/system.hpp"

#include "exchange/success_answers.hpp"
#include "support/scripted_source.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace dockline::test {
namespace {

// What is granted even by a service that is silent: what a cancelled operation takes back, which would otherwise be
// waited for, and what has to be there for something to be taken back.
bool is_farewell(const std::string& line) {
  return line.find("/builds?pageSize=100&filter=") != line.npos ||
         line.find("/containers/create?name=run") != line.npos ||
         line.find("/containers/made/kill") != line.npos || line.starts_with("DELETE /v1.41/containers/made");
}

fake_daemon::script script_for(const std::atomic<stage::answers>& given) {
  return [&given](peer& client) {
    using answers = stage::answers;
    for (;;) {
      const std::string line = client.read_head().line();
      if (line.starts_with("POST /token ")) {
        client.read_body();
        client.send(json_answer(R"({"access_token":"t","expires_in":3600,"token_type":"Bearer"})"));
        continue;
      }
      const answers now = given;
      const bool looks = line.find("/_ping ") != line.npos || line.find("/o/probe") != line.npos;
      const bool silent = now == answers::none || (now == answers::pings && !looks);
      const bool farewell = silent && is_farewell(line);
      // As is this, which may have come to its end.
      const bool cancels = line.find(":cancel ") != line.npos;
      if (silent && !farewell && !cancels) return client.wait_for_close();
      const seen_request& request = client.read_body();
      if (line.find("/_ping ") != line.npos) {
        client.send(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK");
      } else if (looks || now == answers::successes || farewell) {
        if (!answer_with_success(client, request)) return;
      } else if (line.starts_with("HEAD ")) {
        client.send("HTTP/1.1 409 Conflict\r\nContent-Length: 23\r\n\r\n");
      } else {
        client.send(json_answer(R"({"message":"not today"})", "409 Conflict"));
      }
    }
  };
}

archive::build_context open(const std::string& directory) {
  asio::io_context context;
  archive::context_options options;
  options.directory = directory;
  std::optional<archive::build_context> opened;
  archive::async_open_context(context.get_executor(), options,
                              [&](error_code code, archive::build_context made) {
                                if (!code) opened = std::move(made);
                              });
  context.run();
  if (!opened) throw std::runtime_error("the context of the tests cannot be opened");
  return std::move(*opened);
}

engine::client_options options_on(const stage& where) {
  engine::client_options options;
  options.host = where.daemon.host();
  options.api_version = "1.41";
  return options;
}

std::vector<operation>& table() {
  static std::vector<operation> rows;
  return rows;
}

}  // namespace

stage::stage(answers given) : given_(given), daemon(script_for(given_)), web("127.0.0.1", daemon.host()) {
  files.file("app/main.py", "print('here')\n");
  files.file("app/Dockerfile", "FROM scratch\nCOPY . .\n");
  context = open(files.path("app"));
}

scene::scene(const stage& where, const asio::any_io_executor& own)
    : on(where), executor(own), daemon(own, options_on(where)) {}

std::shared_ptr<byte_source> scene::source() const {
  return std::make_shared<scripted_source>(executor, 100);
}

in_table::in_table(std::vector<operation> rows, small_request look) {
  for (operation& one : rows) one.look = look;
  std::move(rows.begin(), rows.end(), std::back_inserter(table()));
}

void ping(scene& on, completion_handler<void> handler) {
  engine::async_ping(on.daemon,
                     [handler = std::move(handler)](error_code code, const engine::ping_result&) mutable {
                       std::move(handler)(code);
                     });
}

const std::vector<operation>& all_operations() {
  std::ranges::sort(table(), {}, &operation::name);
  return table();
}

}  // namespace dockline::test
