// Credentials from real helper programs: scripts in a folder of the test's own.

#include "dockline/engine/credentials.hpp"

#include "support/entries_of.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <functional>
#include <iterator>

namespace dockline::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using names = std::vector<std::string>;

struct search_outcome {
  int completions = 0;
  error_code code;
  engine::found_credentials found;
  std::chrono::milliseconds took{};

  const std::string& only_warning() const {
    REQUIRE(found.warnings.size() == 1);
    return found.warnings.front();
  }
};

// Helpers, a store that names them, and the check that nothing of them is left.
class helper_folder : public archive::scratch_tree {
 public:
  helper_folder() {
    store.search_path = root();
    store.environment = {"PATH=/usr/bin:/bin", "FOLDER=" + root(), "SECRET=from-the-store"};
  }
  ~helper_folder() {
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    CHECK(entries_of("/proc/self/fd") == descriptors_);
  }

  void helper(const std::string& name, const std::string& script) {
    file("docker-credential-" + name, "#!/bin/sh\n" + script, 0755);
  }
  // A helper that answers for whatever it is asked.
  void good_helper(const std::string& name, const std::string& before = {}) {
    helper(name, before +
                     "\nserver=$(cat)\n"
                     "[ \"$1\" = get ] || exit 9\n"
                     "printf '{\"ServerURL\":\"%s\",\"Username\":\"u\",\"Secret\":\"for %s\"}' \"$server\" "
                     "\"$server\"\n");
  }

  search_outcome find(names registries,
                      std::function<void(asio::steady_timer&, asio::cancellation_signal&)> meanwhile = {}) {
    search_outcome seen;
    asio::io_context loop;
    asio::cancellation_signal cancel;
    diagnostics why;
    const auto start = std::chrono::steady_clock::now();
    engine::async_find_credentials(
        loop.get_executor(), store, std::move(registries), why,
        asio::bind_cancellation_slot(cancel.slot(), [&](error_code code, engine::found_credentials found) {
          ++seen.completions;
          // No child is left, running or dead.
          CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
          CHECK(errno == ECHILD);
          seen.code = code;
          seen.found = std::move(found);
        }));
    CHECK(seen.completions == 0);
    asio::steady_timer timer(loop);
    if (meanwhile) meanwhile(timer, cancel);
    loop.run_for(60s);
    CHECK(seen.completions == 1);
    seen.took =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    return seen;
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
  pid_t pid_in(const std::string& name) const {
    pid_t pid = 0;
    std::ifstream(path(name)) >> pid;
    return pid;
  }

  engine::credential_store store;

 private:
  std::size_t descriptors_ = entries_of("/proc/self/fd");
};

// Whether no process has this number any more. An orphan may take a moment to be reaped by whoever adopted
// it.
bool is_gone(pid_t pid) {
  REQUIRE(pid > 0);
  for (int i = 0; i < 200; ++i) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(status), {}};
    if (text.find(") Z ") != text.npos) return true;
    ::usleep(10'000);
  }
  return false;
}

}  // namespace

TEST_SUITE("exchange/credentials") {
  TEST_CASE("the order: the registry's helper, the store, auths") {
    helper_folder helpers;
    helpers.good_helper("own");
    helpers.good_helper("store");
    auto& config = helpers.store.config;
    config.auths["127.0.0.1:5001"] = {"stored", "secret"};
    config.auths["https://index.docker.io/v1/"] = {"hub", "secret"};
    CHECK(helpers.find({"127.0.0.1:5001"}).found.auths.at("127.0.0.1:5001").username == "stored");
    CHECK(helpers.find({"docker.io"}).found.auths.at("docker.io").username == "hub");
    CHECK(helpers.find({"other"}).found.auths.empty());

    config.credentials_store = "store";
    config.credential_helpers = {{"https://127.0.0.1:5001/v2/", "own"}, {"files.example", ""}};
    config.auths["files.example"] = {"file", "secret"};
    const search_outcome seen =
        helpers.find({"127.0.0.1:5001", "docker.io", "files.example", "127.0.0.1:5001", ""});
    CHECK_FALSE(seen.code);
    CHECK(seen.found.warnings.empty());
    CHECK(seen.found.auths.size() == 3);
    CHECK(seen.found.auths.at("127.0.0.1:5001").username == "u");
    CHECK(seen.found.auths.at("127.0.0.1:5001").password == "for 127.0.0.1:5001");
    CHECK(seen.found.auths.at("127.0.0.1:5001").server_address == "127.0.0.1:5001");
    // Docker Hub by the name that docker has for it.
    CHECK(seen.found.auths.at("docker.io").password == "for https://index.docker.io/v1/");
    CHECK(seen.found.auths.at("files.example").username == "file");
  }

  TEST_CASE("only the registries that are asked for, each once") {
    helper_folder helpers;
    helpers.good_helper("count", "echo x >> \"$FOLDER/calls\"");
    helpers.store.config.credentials_store = "count";
    helpers.store.config.credential_helpers = {{"never.example", "count"}};
    const search_outcome seen = helpers.find({"docker.io", "index.docker.io", "https://index.docker.io/v1/"});
    CHECK(seen.found.auths.size() == 3);
    CHECK(std::filesystem::file_size(helpers.path("calls")) == 2);
    CHECK(helpers.find({}).found.auths.empty());
    CHECK(std::filesystem::file_size(helpers.path("calls")) == 2);
  }

  TEST_CASE("the helper's environment is the store's, its signals and descriptors are clean") {
    helper_folder helpers;
    // The bit of SIGPIPE, and a descriptor that this process keeps open for whatever it runs.
    helpers.helper("env",
                   "ignored=0x$(sed -n 's/SigIgn:[[:space:]]*//p' /proc/$$/status)\n"
                   "[ -e /proc/$$/fd/77 ] && open=yes || open=no\n"
                   "printf '{\"Username\":\"%s\",\"Secret\":\"%s\"}' \"$SECRET\" "
                   "\"$HOME|$((ignored & 0x1000))|$open\"");
    helpers.store.config.credentials_store = "env";
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    REQUIRE(::dup2(2, 77) == 77);
    const search_outcome seen = helpers.find({"r"});
    ::close(77);
    std::signal(SIGPIPE, before);
    CHECK(seen.found.auths.at("r").username == "from-the-store");
    CHECK(seen.found.auths.at("r").password == "|0|no");
  }

  TEST_CASE("several at once") {
    helper_folder helpers;
    helpers.good_helper("slow", "sleep 0.5");
    helpers.store.config.credentials_store = "slow";
    names registries;
    for (int i = 0; i < 8; ++i) registries.push_back("r" + std::to_string(i));
    const search_outcome seen = helpers.find(registries);
    CHECK(seen.found.auths.size() == 8);
    CHECK(seen.took < 3s);  // one after the other they take 4
  }

  TEST_CASE("eight helpers run at once, and no more") {
    helper_folder helpers;
    // Each waits until the test has seen enough.
    helpers.helper("gated",
                   "server=$(cat)\ntouch \"$FOLDER/runs.$server\"\n"
                   "ls \"$FOLDER\" | grep -c '^runs' >> \"$FOLDER/counts\"\n"
                   "while [ ! -e \"$FOLDER/go\" ]; do sleep 0.02; done\n"
                   "rm \"$FOLDER/runs.$server\"\n"
                   "printf '{\"Username\":\"u\",\"Secret\":\"s\"}'\n");
    helpers.store.config.credentials_store = "gated";
    names registries;
    for (int i = 0; i < 30; ++i) registries.push_back("r" + std::to_string(i));
    const auto running = [&] {
      std::size_t count = 0;
      for (const auto& one : std::filesystem::directory_iterator(helpers.root()))
        count += one.path().filename().string().starts_with("runs.");
      return count;
    };
    std::size_t most = 0;
    int looks_with_all = 0;
    std::function<void()> look;
    const search_outcome seen =
        helpers.find(registries, [&](asio::steady_timer& timer, asio::cancellation_signal&) {
          look = [&] {
            timer.expires_after(20ms);
            timer.async_wait([&](error_code) {
              most = std::max(most, running());
              // Those that were started beside the eight would be there by then.
              if (most < 8 || ++looks_with_all < 20) return look();
              helpers.file("go");
            });
          };
          look();
        });
    CHECK(most == 8);
    CHECK(seen.found.auths.size() == 30);
    // Nor are there more while the others are started.
    std::ifstream counts(helpers.path("counts"));
    int lines = 0;
    for (std::size_t count = 0; counts >> count; ++lines) CHECK(count <= 8);
    CHECK(lines == 30);
  }

  TEST_CASE("more than run at once") {
    helper_folder helpers;
    helpers.good_helper("many");
    helpers.store.config.credentials_store = "many";
    names registries;
    for (int i = 0; i < 30; ++i) registries.push_back("r" + std::to_string(i));
    CHECK(helpers.find(registries).found.auths.size() == 30);
  }

  TEST_CASE("the event loop goes on meanwhile") {
    helper_folder helpers;
    helpers.good_helper("slow", "sleep 0.5");
    helpers.store.config.credentials_store = "slow";
    int ticks = 0;
    std::function<void()> tick;
    const search_outcome seen =
        helpers.find({"r"}, [&](asio::steady_timer& timer, asio::cancellation_signal&) {
          tick = [&] {
            timer.expires_after(10ms);
            timer.async_wait([&](error_code) {
              if (++ticks < 20) tick();
            });
          };
          tick();
        });
    CHECK(seen.found.auths.size() == 1);
    CHECK(ticks == 20);
  }

  TEST_CASE("not found is anonymous, whatever auths has") {
    helper_folder helpers;
    helpers.helper("none", "echo 'credentials not found in native keychain'; exit 1");
    helpers.store.config.credentials_store = "none";
    helpers.store.config.auths["r"] = {"u", "p"};
    const search_outcome seen = helpers.find({"r"});
    CHECK_FALSE(seen.code);
    CHECK(seen.found.auths.empty());
    CHECK(seen.found.warnings.empty());
  }

  TEST_CASE("what goes wrong is a warning that names helper and registry, and no secret") {
    struct row {
      const char* script;
      std::string_view reason;
    };
    const row rows[] = {
        {"echo 'the vault is locked'; exit 1", "ended with status 1: the vault is locked"},
        {"echo '{\"Username\":\"u\",\"Secret\":\"hunter2\"}'; exit 3", "ended with status 3"},
        {"echo hunter2 >&2; exit 4", "ended with status 4"},
        {"kill -SEGV $$", "ended by signal 11"},
        {"echo hunter2", "printed something else than credentials"},
        {"true", "printed something else than credentials"},
        {"exec cat /dev/zero", "printed more than 1 MiB"},
        {"exec cat /dev/urandom", "printed more than 1 MiB"},
        {"exec >&-; exec sleep 600", "gave no answer within 300 ms"},
        {"sleep 600 & wait", "gave no answer within 300 ms"},
    };
    for (const auto& one : rows) {
      CAPTURE(one.script);
      helper_folder helpers;
      helpers.helper("bad", one.script);
      if (one.reason.find("300 ms") != one.reason.npos) helpers.store.helper_timeout = 300ms;
      helpers.store.config.credential_helpers = {{"r:5000", "bad"}};
      search_outcome seen = helpers.find({"r:5000"});
      CHECK_FALSE(seen.code);
      CHECK(seen.found.auths.empty());
      CHECK(seen.only_warning() == "docker-credential-bad, for r:5000: " + std::string(one.reason) +
                                       "; going on without credentials");
      CHECK(seen.took < 5s);
      helpers.store.config.auths["r:5000"] = {"stored", "hunter2"};
      seen = helpers.find({"r:5000"});
      CHECK(seen.found.auths.at("r:5000").username == "stored");
      CHECK(seen.only_warning() == "docker-credential-bad, for r:5000: " + std::string(one.reason) +
                                       "; going on with what config.json has");
    }
  }

  TEST_CASE("a helper that is missing, no program, or no plain name") {
    helper_folder helpers;
    helpers.file("docker-credential-text", "no program", 0755);
    helpers.file("evil", "#!/bin/sh\ntouch \"$FOLDER/ran\"\n", 0755);
    helpers.directory("docker-credential-x");
    auto& config = helpers.store.config;
    config.credentials_store = "missing";
    CHECK(helpers.find({"r"}).only_warning() ==
          "docker-credential-missing, for r: not found in PATH; going on without credentials");
    CHECK(helpers.find({"index.docker.io"})
              .only_warning()
              .starts_with("docker-credential-missing, for docker.io: "));
    config.credentials_store = "text";
    CHECK(helpers.find({"r"}).only_warning().starts_with("docker-credential-text, for r: cannot be run: "));
    for (const char* name : {"../evil", "x/../evil", ".."}) {
      config.credentials_store = name;
      CHECK(helpers.find({"r"}).only_warning() ==
            "credential helper \"" + std::string(name) +
                "\", for r: not a plain name; going on without credentials");
    }
    CHECK_FALSE(helpers.exists("ran"));
  }

  TEST_CASE("a process that the helper leaves behind is not waited for") {
    helper_folder helpers;
    // As an agent does it: in a session of its own, with the helper's output still open.
    helpers.good_helper("agent",
                        "setsid sh -c 'echo $$ > \"$FOLDER/agent\"; exec sleep 600' &\n"
                        "while [ ! -s \"$FOLDER/agent\" ]; do sleep 0.01; done");
    helpers.store.config.credentials_store = "agent";
    const search_outcome seen = helpers.find({"r"});
    CHECK(seen.found.auths.size() == 1);
    CHECK(seen.took < 10s);
    const pid_t agent = helpers.pid_in("agent");
    REQUIRE(agent > 0);
    CHECK(::kill(agent, SIGKILL) == 0);  // it lives
  }

  TEST_CASE("cancelled, every helper and what it started is gone before the operation ends") {
    for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
      helper_folder helpers;
      helpers.helper("hang",
                     "server=$(cat)\nsleep 600 & echo $! > \"$FOLDER/$server.child\"\n"
                     "echo $$ > \"$FOLDER/$server\"\nwait");
      helpers.store.config.credentials_store = "hang";
      names registries;
      for (int i = 0; i < 12; ++i) registries.push_back("r" + std::to_string(i));
      // The first of them, by name: eight run at a time.
      const auto all_run = [&] {
        return helpers.pid_in("r0") > 0 && helpers.pid_in("r1") > 0 && helpers.pid_in("r10") > 0;
      };
      std::function<void()> look;
      const search_outcome seen =
          helpers.find(registries, [&](asio::steady_timer& timer, asio::cancellation_signal& cancel) {
            look = [&] {
              timer.expires_after(20ms);
              timer.async_wait([&](error_code) { all_run() ? cancel.emit(type) : look(); });
            };
            look();
          });
      CHECK(seen.code == condition::cancelled);
      CHECK(seen.found.auths.empty());
      for (const char* name : {"r0", "r1", "r10"}) {
        CHECK(is_gone(helpers.pid_in(name)));
        CHECK(is_gone(helpers.pid_in(std::string(name) + ".child")));
      }
    }
  }

  TEST_CASE("an event loop that is destroyed takes its helpers along") {
    helper_folder helpers;
    helpers.helper("hang", "echo $$ > \"$FOLDER/pid\"\nexec sleep 600");
    helpers.store.config.credentials_store = "hang";
    {
      asio::io_context loop;
      diagnostics why;
      engine::async_find_credentials(loop.get_executor(), helpers.store, {"r"}, why,
                                     [](error_code, engine::found_credentials) { CHECK(false); });
      while (helpers.pid_in("pid") == 0) loop.run_for(10ms);
    }
    CHECK(is_gone(helpers.pid_in("pid")));
  }

  TEST_CASE("the deadline counts for each helper, and zero is none") {
    helper_folder helpers;
    helpers.good_helper("slow", "sleep 0.3");
    helpers.store.config.credentials_store = "slow";
    helpers.store.helper_timeout = 0ms;
    CHECK(helpers.find({"r"}).found.auths.size() == 1);
  }
}

}  // namespace dockline::test
