#include "dockline/buildkit/ssh.hpp"
#include "dockline/core/diagnostics.hpp"

#include "buildkit/refusal.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

namespace dockline::buildkit {
namespace {

// 0, or the error of connecting to a Unix socket.
int try_connect(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int end = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (end < 0) return errno;
  const int outcome = ::connect(end, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int failed = outcome == 0 ? 0 : errno;
  ::close(end);
  // A full queue is somebody's who listens.
  return failed == EAGAIN ? 0 : failed;
}

}  // namespace

result<ssh_agent> parse_ssh_agent(std::string_view text, diagnostics& why) {
  const std::size_t equals = text.find('=');
  ssh_agent agent(std::string(text.substr(0, equals)),
                  equals == text.npos ? std::string() : std::string(text.substr(equals + 1)));
  const std::string quoted = "ssh agent \"" + std::string(text) + "\": ";
  if (agent.id.empty()) return refuse(why, quoted + "it has no id");
  if (!agent.socket.empty()) return agent;
  if (equals != text.npos) return refuse(why, quoted + "no socket follows the '='");
  const char* running = std::getenv("SSH_AUTH_SOCK");
  if (running == nullptr || *running == '\0') {
    return refuse(why, quoted + "no socket is named, and SSH_AUTH_SOCK is not set; is an agent running?");
  }
  agent.socket = running;
  return agent;
}

result<void> check_ssh_agents(const std::vector<ssh_agent>& agents, diagnostics& why) {
  std::set<std::string> ids;
  for (const ssh_agent& one : agents) {
    if (one.id.empty()) return refuse(why, "ssh agent: it has no id");
    const std::string place = "ssh agent \"" + one.id + "\": ";
    if (!ids.insert(one.id).second) return refuse(why, place + "there are two of that id");
    struct ::stat found {};
    if (::stat(one.socket.c_str(), &found) != 0)
      return refuse(why, place + one.socket + ": " + std::strerror(errno));
    if (!S_ISSOCK(found.st_mode))
      return refuse(why, place + one.socket + ": not a socket; keys are added to an agent with ssh-add");
    if (const int failed = try_connect(one.socket); failed != 0) {
      return refuse(why,
                    place + one.socket + ": " +
                        (failed == ECONNREFUSED ? "no agent listens there any more" : std::strerror(failed)));
    }
  }
  return {};
}

}  // namespace dockline::buildkit
