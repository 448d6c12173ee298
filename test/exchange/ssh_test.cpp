// Over ssh: a real sshd on the loopback, started by the test with keys, port and configuration of its own. In
// place of docker on the "other host" runs a script that does what `docker system dial-stdio` does.

#define DOCTEST_CONFIG_IMPLEMENT
#include "exchange/attached.hpp"
#include "support/certificates.hpp"
#include "support/entries_of.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace dockline::test {
namespace {

const char* const sshd_path = "/usr/sbin/sshd";

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string user_name() {
  const passwd* own = ::getpwuid(::geteuid());
  return own != nullptr ? own->pw_name : "root";
}

int run(std::vector<std::string> words, bool wait = true) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  if (!wait) return pid;
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What the script is told by files: the socket to connect to, and how to behave.
constexpr const char* stand_in = R"(
import os, socket, sys, threading
here = os.path.dirname(os.path.abspath(__file__))
with open(here + "/commands", "a") as log:
    log.write(os.environ.get("SSH_ORIGINAL_COMMAND", "") + "\n")
mode = open(here + "/mode").read().strip()
if mode == "fail":
    sys.stderr.write("\x1b[31mCannot connect to the Docker daemon at unix:///var/run/docker.sock.\x1b[0m\r\n")
    sys.stderr.write("Is the docker daemon running?\n")
    sys.exit(1)
if mode == "babble":
    sys.stderr.write("".join("line %05d %s\n" % (i, "y" * 80) for i in range(20000)))
    sys.exit(1)
if mode == "chatty":
    sys.stderr.write("a line that nobody wants to read\n" * 20000)
    sys.stderr.flush()
peer = socket.socket(socket.AF_UNIX)
peer.connect(open(here + "/target").read().strip())
def inwards():
    while True:
        block = os.read(0, 65536)
        if not block:
            peer.shutdown(socket.SHUT_WR)
            return
        peer.sendall(block)
threading.Thread(target=inwards, daemon=True).start()
while True:
    block = peer.recv(65536)
    if not block:
        break
    while block:
        block = block[os.write(1, block):]
if mode == "dies":
    sys.stderr.write("the other host goes down\n")
    sys.exit(9)
)";

class ssh_host {
 public:
  ssh_host() {
    ::chmod((folder_ / "").c_str(), 0700);
    keygen("host_key");
    keygen("user_key");
    write_file(folder_ / "authorized", read_file(folder_ / "user_key.pub"));
    ::chmod((folder_ / "authorized").c_str(), 0600);
    write_file(folder_ / "dial.py", stand_in);
    write_file(folder_ / "commands", "");
    boost::asio::io_context context;
    port_ = boost::asio::ip::tcp::acceptor(context, {boost::asio::ip::address_v4::loopback(), 0})
                .local_endpoint()
                .port();
    write_file(folder_ / "sshd_config", "Port " + std::to_string(port_) +
                                            "\nListenAddress 127.0.0.1\nHostKey " + (folder_ / "host_key") +
                                            "\nAuthorizedKeysFile " + (folder_ / "authorized") +
                                            "\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n"
                                            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                                            "ForceCommand python3 " +
                                            (folder_ / "dial.py") + "\n");
    // The program that the library runs: the real ssh, with a configuration that knows this host only.
    write_file(folder_ / "ssh_config", "IdentityFile " + (folder_ / "user_key") +
                                           "\nIdentitiesOnly yes\nUserKnownHostsFile " + (folder_ / "known") +
                                           "\nGlobalKnownHostsFile none\nStrictHostKeyChecking accept-new\n"
                                           "BatchMode yes\nControlPath none\n");
    ::mkdir((folder_ / "bin").c_str(), 0700);
    write_file(folder_ / "bin/ssh", "#!/bin/sh\necho \"$@\" >>" + (folder_ / "ssh.log") +
                                        "\nexec /usr/bin/ssh -F " + (folder_ / "ssh_config") + " \"$@\"\n");
    ::chmod((folder_ / "bin/ssh").c_str(), 0700);
    old_path_ = std::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin") + ":" + old_path_).c_str(), 1);
    // sshd as root wants this folder, which its service would make.
    if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);
    sshd_ = run({sshd_path, "-D", "-q", "-f", folder_ / "sshd_config"}, false);
    if (sshd_ < 0) throw std::runtime_error("sshd does not start");
    mode("relay");
    await_port();
  }
  ~ssh_host() {
    ::kill(sshd_, SIGTERM);
    ::waitpid(sshd_, nullptr, 0);
    ::setenv("PATH", old_path_.c_str(), 1);
  }
  ssh_host(const ssh_host&) = delete;
  ssh_host& operator=(const ssh_host&) = delete;

  void mode(const std::string& how) const { write_file(folder_ / "mode", how); }
  void lead_to(const std::string& host) const { write_file(folder_ / "target", host.substr(7)); }
  std::string address(const std::string& socket = {}) const {
    return "ssh://" + user_name() + "@127.0.0.1:" + std::to_string(port_) + socket;
  }
  std::string commands() const { return read_file(folder_ / "commands"); }
  std::string ssh_log() const { return read_file(folder_ / "ssh.log"); }
  std::string file(const std::string& name) const { return folder_ / name; }
  std::uint16_t port() const { return port_; }

 private:
  void keygen(const std::string& name) const {
    if (run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / name}) != 0) {
      throw std::runtime_error("ssh-keygen fails");
    }
  }
  void await_port() const {
    for (int i = 0; i < 200; ++i) {
      boost::asio::io_context context;
      boost::asio::ip::tcp::socket socket(context);
      error_code code;
      socket.connect({boost::asio::ip::address_v4::loopback(), port_}, code);
      if (!code) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    throw std::runtime_error("sshd does not listen");
  }

  scratch_folder folder_;
  std::string old_path_;
  std::uint16_t port_ = 0;
  int sshd_ = -1;
};

std::unique_ptr<ssh_host> shared_host;

const ssh_host& host() { return *shared_host; }

// The children of this process other than sshd: "ssh S", "ssh Z" for a zombie.
std::multiset<std::string> children() {
  std::multiset<std::string> found;
  DIR* processes = ::opendir("/proc");
  while (const dirent* entry = ::readdir(processes)) {
    if (std::atoi(entry->d_name) == 0) continue;
    // getline, since reading the file of a process that has just ended fails, which throws elsewhere.
    std::ifstream stat("/proc/" + std::string(entry->d_name) + "/stat");
    std::string line;
    std::getline(stat, line);
    const std::size_t open = line.find('(');
    const std::size_t close = line.rfind(')');
    if (open == line.npos || close == line.npos) continue;
    const std::string name = line.substr(open + 1, close - open - 1);
    if (std::atoi(line.c_str() + close + 4) == ::getpid() && name != "sshd")
      found.insert(name + line.substr(close + 1, 2));
  }
  ::closedir(processes);
  return found;
}

}  // namespace

TEST_SUITE("exchange/ssh") {
  TEST_CASE("requests share one ssh, a body streams, and nothing is left of it") {
    fake_daemon daemon(serve_everything);
    host().lead_to(daemon.host());
    const std::size_t before = entries_of("/proc/self/fd");
    {
      conversation talk(options_for(host().address()));
      CHECK(talk.version().words() == error_code().message());
      CHECK(talk.version().value.version == "1.2.3");
      CHECK(children().size() == 1);
      CHECK(talk.build(3'000'000).value.id == image_id);
      CHECK(host().commands() == "docker system dial-stdio\ndocker system dial-stdio\n");
      CHECK(host().ssh_log().starts_with("-o ConnectTimeout=10 -T -l " + user_name() + " -p " +
                                         std::to_string(host().port()) +
                                         " -- 127.0.0.1 docker system dial-stdio\n"));
    }
    CHECK(children().empty());
    // The daemon of this test, a thread of this process, closes its ends when it sees ours closed.
    for (int i = 0; i < 200 && entries_of("/proc/self/fd") != before; ++i) std::this_thread::sleep_for(10ms);
    CHECK(entries_of("/proc/self/fd") == before);
  }

  TEST_CASE("the socket on the other host may be named, whatever its name is for a shell") {
    fake_daemon daemon(serve_everything);
    host().lead_to(daemon.host());
    conversation talk(options_for(host().address("/run/my docker's.sock")));
    CHECK(talk.version().words() == error_code().message());
    CHECK(
        host().commands().ends_with("docker --host 'unix:///run/my docker'\\''s.sock' system dial-stdio\n"));
  }

  TEST_CASE("the end of a container's input reaches it, and reading goes on") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(upgraded);
      client.wait_for_close();
      client.send(frame(1, "after the end"));
    });
    host().lead_to(daemon.host());
    attached talk(options_for(host().address()));
    engine::attach_options options;
    options.in = true;
    const auto streams = talk.attach(options);
    REQUIRE(streams.words() == error_code().message());
    heard what;
    auto input = std::make_shared<scripted_source>(talk.context.get_executor(), 300'000);
    CHECK(talk.listen(streams.value, what, input).words() == error_code().message());
    CHECK(what.out == "after the end");
    CHECK(daemon.wait()[0].after == std::string(300'000, 'x'));
  }

  TEST_CASE("what ssh and the other side print is in the error") {
    host().lead_to("unix:///nowhere");
    host().mode("fail");
    {
      conversation talk(options_for(host().address()));
      const auto seen = talk.version();
      CHECK(seen.code == errc::cannot_connect);
      CHECK(seen.code == condition::unreachable);
      CHECK(
          seen.words() ==
          "the connection to the daemon failed: ssh to 127.0.0.1: [31mCannot connect to the Docker daemon at "
          "unix:///var/run/docker.sock.[0m; Is the docker daemon running?");
      CHECK(talk.build().code == errc::cannot_connect);
    }
    host().mode("relay");
    conversation refused(options_for("ssh://127.0.0.1:1"));
    auto seen = refused.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words().find("connect to host 127.0.0.1 port 1: Connection refused") != std::string::npos);

    conversation stranger(options_for("ssh://nobody-at-all@127.0.0.1:" + std::to_string(host().port())));
    seen = stranger.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words().find("Permission denied (publickey)") != std::string::npos);
    CHECK(children().empty());
  }

  TEST_CASE("an ssh that prints without end is not held back by it") {
    fake_daemon daemon(serve_everything);
    host().lead_to(daemon.host());
    host().mode("chatty");
    conversation talk(options_for(host().address()));
    CHECK(talk.version().words() == error_code().message());
    host().mode("relay");
  }

  TEST_CASE("of what ssh prints the last 2 KiB are in the error") {
    host().lead_to("unix:///nowhere");
    host().mode("babble");
    conversation talk(options_for(host().address()));
    const auto seen = talk.version();
    host().mode("relay");
    CHECK(seen.code == errc::cannot_connect);
    const std::string words = seen.words();
    const std::string before = "ssh to 127.0.0.1: ";
    const std::size_t at = words.find(before);
    REQUIRE(at != std::string::npos);
    // Ends of lines are shown as two letters.
    std::size_t printed = words.size() - at - before.size();
    for (std::size_t i = words.find("; ", at); i != words.npos; i = words.find("; ", i + 1)) --printed;
    CHECK(printed <= 2048);
    CHECK(printed > 1900);
    CHECK(words.find("line 19999 ") != std::string::npos);
    CHECK(words.find("line 19970 ") == std::string::npos);
  }

  TEST_CASE("an ssh that fails in the middle of an answer does not make it a whole one") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send("HTTP/1.1 200 OK\r\n\r\n" + built);
    });
    host().lead_to(daemon.host());
    host().mode("dies");
    conversation talk(options_for(host().address()));
    const auto seen = talk.build(10);
    host().mode("relay");
    CHECK(seen.code == errc::connection_lost);
    CHECK(seen.words() == "the connection to the daemon failed: ssh to 127.0.0.1: the other host goes down");
  }

  TEST_CASE("cancelled at any moment, ssh is gone when the operation is over") {
    gate there;
    fake_daemon daemon([&](peer& client) {
      client.read_request();
      there.open();
      client.wait_for_close();
    });
    host().lead_to(daemon.host());
    for (const auto wait : {0ms, 1ms, 20ms, 80ms, 300ms}) {
      CAPTURE(wait.count());
      conversation talk(options_for(host().address()));
      const auto seen = talk.begin_version();
      talk.context.run_for(wait);
      talk.cancel.emit(asio::cancellation_type::terminal);
      talk.run();
      CHECK(seen->completions == 1);
      CHECK(seen->code == condition::cancelled);
      CHECK(children().empty());
    }
  }

  TEST_CASE("an idle ssh that ends leaves no zombie, and is replaced") {
    fake_daemon daemon([](peer& client) {
      client.read_request();
      client.send(version_answer);
    });
    host().lead_to(daemon.host());
    conversation talk(options_for(host().address()));
    CHECK(talk.version().words() == error_code().message());
    // It notices that the daemon hung up, and ends. The loop does not run.
    for (int i = 0; i < 200 && !children().empty(); ++i) std::this_thread::sleep_for(20ms);
    CHECK(children().empty());
    CHECK(talk.version().value.version == "1.2.3");
  }

  TEST_CASE("without a program ssh the error says so") {
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", "/nonexistent", 1);
    conversation talk(options_for(host().address()));
    const auto seen = talk.version();
    ::setenv("PATH", path.c_str(), 1);
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words().ends_with("there is no program ssh in PATH"));
  }
}

}  // namespace dockline::test

// Exits with 77, which Meson shows as skipped, where there is no sshd.
int main(int argc, char** argv) {
  using namespace dockline::test;
  for (const char* program : {sshd_path, "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/python3"}) {
    if (::access(program, X_OK) != 0) {
      std::printf("skipped: %s is missing\n", program);
      return 77;
    }
  }
  try {
    shared_host = std::make_unique<ssh_host>();
  } catch (const std::exception& thrown) {
    std::printf("skipped: %s\n", thrown.what());
    return 77;
  }
  const int status = doctest::Context(argc, argv).run();
  shared_host.reset();
  return status;
}
