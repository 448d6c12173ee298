// A daemon that reads a build's context and forgets it: what against_cli.py hands contexts to, so that
// neither client waits for its reader.
//
//     forgetful_daemon SOCKET
//
// Serves each connection in a process of its own until it closes, and ends with its standard input.

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view last_chunk = "0\r\n\r\n";

std::string answer_to(std::string_view head) {
  std::string body;
  if (head.starts_with("POST"))
    body = R"({"aux":{"ID":"sha256:)" + std::string(64, '0') + "\"}}\r\n" +
           R"({"stream":"Successfully built 000000000000\n"})" + "\r\n";
  return "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nBuilder-Version: 1\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool send_all(int peer, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Reads a chunked body to its end. The last bytes are kept, since the end may come in two pieces.
bool forget_body(int peer, std::string tail) {
  std::vector<char> block(std::size_t{1} << 20);
  while (!tail.ends_with(last_chunk)) {
    const ssize_t size = ::recv(peer, block.data(), block.size(), 0);
    if (size <= 0) return false;
    const std::size_t count = static_cast<std::size_t>(size);
    const std::size_t kept = std::min(count, last_chunk.size());
    tail.append(block.data() + count - kept, kept);
    tail.erase(0, tail.size() - std::min(tail.size(), last_chunk.size()));
  }
  return true;
}

void serve(int peer) {
  std::string read;
  std::array<char, 4096> block;
  for (;;) {
    const std::size_t end = read.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t size = ::recv(peer, block.data(), block.size(), 0);
      if (size <= 0) return;
      read.append(block.data(), static_cast<std::size_t>(size));
      continue;
    }
    const std::string head = read.substr(0, end);
    read.erase(0, end + 4);
    if (head.starts_with("POST")) {
      if (!forget_body(peer, std::move(read))) return;
      read.clear();
    }
    if (!send_all(peer, answer_to(head))) return;
  }
}

}  // namespace

int main(int count, char** arguments) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (count != 2 || std::strlen(arguments[1]) >= sizeof(where.sun_path)) return 2;
  std::strcpy(where.sun_path, arguments[1]);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0 ||
      ::listen(listener, 8) != 0) {
    std::perror(arguments[1]);
    return 1;
  }
  ::signal(SIGCHLD, SIG_IGN);
  for (;;) {
    std::array<pollfd, 2> waits = {pollfd{0, POLLIN, 0}, pollfd{listener, POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0 || waits[0].revents != 0) return 0;
    const int peer = ::accept(listener, nullptr, nullptr);
    if (peer < 0) continue;
    if (::fork() == 0) {
      serve(peer);
      ::_exit(0);
    }
    ::close(peer);
  }
}
