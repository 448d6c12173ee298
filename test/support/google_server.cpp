#include "support/google_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace dockline::test {
namespace {

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error("the tests' Google: " + why); }

std::string read_line(int descriptor) {
  std::string line;
  for (char letter = 0; ::read(descriptor, &letter, 1) == 1 && letter != '\n';) line += letter;
  return line;
}

int connect_to(const std::string& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("no connection to port " + port);
  return descriptor;
}

}  // namespace

google_server::google_server(std::vector<std::string> options) {
  int input[2];
  int output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) fail("no pipe");
  child_process::setup how;
  how.arguments = {"python3", "-B", DOCKLINE_TEST_GOOGLE "/main.py", "--folder", folder_ / "google"};
  how.arguments.insert(how.arguments.end(), options.begin(), options.end());
  how.input = input[0];
  how.output = output[1];
  how.errors = STDERR_FILENO;
  auto started = child_process::start(how);
  ::close(input[0]);
  ::close(output[1]);
  leash_ = input[1];
  if (!started) fail("python3 does not start: " + started.error().message());
  process_ = std::move(*started);
  const std::string line = read_line(output[0]);
  ::close(output[0]);
  if (told_.parse(line)) fail("it ended at once");
}

google_server::~google_server() {
  ::close(leash_);
  if (process_.id() > 0) child_process::wait(process_.id());
  process_.end();
}

std::string google_server::told(std::string_view what) const {
  return std::string(told_.root().find(what).string_or_empty());
}

std::string google_server::credentials_file(std::string_view name) const {
  return std::string(told_.root().find("credentials").find(name).string_or_empty());
}

std::string google_server::control(std::string_view method, std::string_view what,
                                   std::string_view body) const {
  return ask(method, "/control/" + std::string(what), body);
}

std::string google_server::ask(std::string_view method, std::string_view target,
                               std::string_view body) const {
  // By the plain port, which is there beside one with TLS.
  const std::string control = told("control");
  const std::string place = control.substr(control.find("//") + 2);
  const std::string authority = place.substr(0, place.find('/'));
  const int descriptor = connect_to(authority.substr(authority.find(':') + 1));
  std::string request = std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: " + authority +
                        "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + std::string(body);
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(descriptor, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) fail("the connection broke");
    sent += static_cast<std::size_t>(count);
  }
  std::string answer;
  char block[65536];
  for (ssize_t count = 0; (count = ::read(descriptor, block, sizeof block)) > 0;)
    answer.append(block, static_cast<std::size_t>(count));
  ::close(descriptor);
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos || answer.compare(0, 10, "HTTP/1.1 2") != 0)
    fail(std::string(target) + ": " + answer);
  return answer.substr(head + 4);
}

void google_server::for_each_request(const std::function<void(json::value)>& visit) const {
  json::document log;
  if (log.parse(control("GET", "log", {}))) fail("its log is no JSON");
  for (const json::value entry : log.root().elements()) visit(entry);
}

int google_server::count(std::string_view method, std::string_view path_part) const {
  int found = 0;
  for_each_request([&](json::value entry) {
    const std::string target = std::string(entry.find("path").string_or_empty()) + '?' +
                               std::string(entry.find("query").string_or_empty());
    found += entry.find("method").string_or_empty() == method && target.find(path_part) != std::string::npos;
  });
  return found;
}

std::vector<google_server::asked_range> google_server::ranges(std::string_view path_part) const {
  std::vector<asked_range> all;
  for_each_request([&](json::value entry) {
    if (entry.find("path").string_or_empty().find(path_part) == std::string_view::npos) return;
    const std::string range(entry.find("range").string_or_empty());
    if (!range.starts_with("bytes=")) fail("a request without a range: " + range);
    asked_range one;
    one.from = std::stoll(range.substr(range.find('=') + 1));
    one.status = static_cast<int>(entry.find("status").as_int().value_or(0));
    all.push_back(one);
  });
  return all;
}

std::int64_t google_server::sum(std::string_view number) const {
  std::int64_t total = 0;
  for_each_request([&](json::value entry) { total += entry.find(number).as_int().value_or(0); });
  return total;
}

}  // namespace dockline::test
