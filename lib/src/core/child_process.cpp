#include "core/child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

extern char** environ;

namespace dockline {
namespace {

constexpr int first_free = 3;

error_code failure(int number) { return {number, boost::system::system_category()}; }

// A copy of a descriptor that lies above those that are about to be replaced.
class raised {
 public:
  explicit raised(int descriptor) : copy_(::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free)) {}
  raised(const raised&) = delete;
  raised& operator=(const raised&) = delete;
  ~raised() {
    if (copy_ >= 0) ::close(copy_);
  }
  int get() const noexcept { return copy_; }

 private:
  int copy_;
};

struct spawn_settings {
  spawn_settings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
  ~spawn_settings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// As execve(2) takes them; valid as long as `texts` is.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int status_of(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

}  // namespace

result<child_process> child_process::start(const setup& how) {
  const raised input(how.input);
  const raised output(how.output);
  const raised errors(how.errors);
  if (input.get() < 0 || output.get() < 0 || errors.get() < 0) return failure(errno);
  spawn_settings settings;
  int code = ::posix_spawn_file_actions_adddup2(&settings.actions, input.get(), 0);
  if (code == 0) code = ::posix_spawn_file_actions_adddup2(&settings.actions, output.get(), 1);
  if (code == 0) code = ::posix_spawn_file_actions_adddup2(&settings.actions, errors.get(), 2);
  if (code == 0) code = ::posix_spawn_file_actions_addclosefrom_np(&settings.actions, first_free);
  if (code != 0) return failure(code);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments = how.arguments;
  const std::vector<char*> words = pointers_to(arguments);
  std::vector<std::string> variables = how.environment.value_or(std::vector<std::string>());
  const std::vector<char*> own = pointers_to(variables);
  child_process child;
  code = ::posix_spawnp(&child.pid_, words[0], &settings.actions, &settings.attributes, words.data(),
                        how.environment ? own.data() : environ);
  if (code != 0) {
    child.pid_ = -1;
    return failure(code);
  }
  child.handle_ = static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0));
  return child;
}

std::optional<int> child_process::poll() noexcept {
  if (pid_ < 0) return status_;
  siginfo_t info{};
  const int failed = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG);
  if (failed == 0 && info.si_pid == 0) return std::nullopt;
  // A service that ignores SIGCHLD, or waits for everybody's children, leaves no status to be had.
  status_ = failed == 0 ? status_of(info) : 0;
  pid_ = -1;
  return status_;
}

void child_process::wait(int id) noexcept {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

void child_process::kill() noexcept {
  if (pid_ >= 0) ::kill(-pid_, SIGKILL);
}

void child_process::end() noexcept {
  if (handle_ >= 0) ::close(std::exchange(handle_, -1));
  if (pid_ < 0) return;
  kill();
  siginfo_t info{};
  int failed = 0;
  while ((failed = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED)) != 0 && errno == EINTR) {
  }
  status_ = failed == 0 ? status_of(info) : 0;
  pid_ = -1;
}

}  // namespace dockline
