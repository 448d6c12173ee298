#include "exchange/operation_table.hpp"

#include "support/scripted_source.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <stdexcept>

namespace dockline::test {
namespace {

fake_daemon::script script_for(stage::answers given) {
  return [given](peer& client) {
    for (;;) {
      const std::string line = client.read_head().line();
      if (line.starts_with("POST /token ")) {
        client.read_body();
        client.send(json_answer(R"({"access_token":"t","expires_in":3600,"token_type":"Bearer"})"));
        continue;
      }
      // What a cancelled operation takes back is answered in any case: for a service that does not answer that
      // either, up to ten seconds are taken.
      const bool takes_back = line.find(":cancel ") != line.npos;
      const bool pings = line.find("/_ping ") != line.npos;
      const bool silent = given == stage::answers::none || (given == stage::answers::pings && !pings);
      if (silent && !takes_back) return client.wait_for_close();
      client.read_body();
      if (pings)
        client.send(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK");
      else if (line.starts_with("HEAD "))
        client.send("HTTP/1.1 409 Conflict\r\nContent-Length: 23\r\n\r\n");
      else
        client.send(json_answer(R"({"message":"not today"})", "409 Conflict"));
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

stage::stage(answers given) : daemon(script_for(given)), web("127.0.0.1", daemon.host()) {
  files.file("app/main.py", "print('here')\n");
  files.file("app/Dockerfile", "FROM scratch\nCOPY . .\n");
  context = open(files.path("app"));
}

scene::scene(const stage& where, const asio::any_io_executor& own)
    : on(where), executor(own), daemon(own, options_on(where)) {}

std::shared_ptr<byte_source> scene::source() const {
  return std::make_shared<scripted_source>(executor, 100);
}

in_table::in_table(std::vector<operation> rows) {
  std::move(rows.begin(), rows.end(), std::back_inserter(table()));
}

const std::vector<operation>& all_operations() {
  std::ranges::sort(table(), {}, &operation::name);
  return table();
}

}  // namespace dockline::test
