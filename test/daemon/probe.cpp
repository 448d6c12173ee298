// The program inside the images of the daemon suite: static, so that an image needs nothing but it, and able
// to say what arrived there. Run on the host it says the same of the tree that was sent.

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

void print_escaped(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && c != '\\') {
      std::putchar(c);
    } else {
      std::printf("\\x%02x", byte);
    }
  }
}

// Enough to tell contents apart, in a few lines.
unsigned long long fingerprint(const std::string& path) {
  unsigned long long value = 14695981039346656037ULL;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return 0;
  unsigned char block[65536];
  while (const std::size_t size = std::fread(block, 1, sizeof(block), file)) {
    for (std::size_t i = 0; i < size; ++i) value = (value ^ block[i]) * 1099511628211ULL;
  }
  std::fclose(file);
  return value;
}

// A line an entry: kind, mode, what is in it, path.
int walk(const std::string& top, const std::string& prefix) {
  DIR* directory = ::opendir((top + prefix).c_str());
  if (directory == nullptr) return 1;
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  int failures = 0;
  for (const auto& name : names) {
    const std::string path = prefix + "/" + name;
    struct stat status {};
    if (::lstat((top + path).c_str(), &status) != 0) return 1;
    const unsigned mode = status.st_mode & 07777U;
    if (S_ISDIR(status.st_mode)) {
      std::printf("d %04o - ", mode);
    } else if (S_ISLNK(status.st_mode)) {
      std::string target(4096, '\0');
      const ssize_t size = ::readlink((top + path).c_str(), target.data(), target.size());
      target.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
      std::printf("l - ");
      print_escaped(target);
      std::putchar(' ');
    } else if (S_ISREG(status.st_mode)) {
      std::printf("f %04o %lld:%016llx ", mode, static_cast<long long>(status.st_size),
                  fingerprint(top + path));
    } else {
      std::printf("? %o - ", static_cast<unsigned>(status.st_mode));
    }
    print_escaped(path);
    std::putchar('\n');
    if (S_ISDIR(status.st_mode)) failures += walk(top, path);
  }
  return failures;
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool print_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  char block[4096];
  while (const std::size_t size = std::fread(block, 1, sizeof(block), file))
    std::fwrite(block, 1, size, stdout);
  std::fclose(file);
  return true;
}

// Under the name of pip: `pip install --no-cache-dir (-r FILE | PACKAGE)` says what it would install, and
// leaves a mark of it.
int pose_as_pip(const std::vector<std::string>& words) {
  if (words.size() < 4 || words[1] != "install" || words[2] != "--no-cache-dir") return 2;
  std::printf("pip installs\n");
  if (words[3] != "-r") {
    std::printf("%s\n", words[3].c_str());
  } else if (words.size() != 5 || !print_file(words[4])) {
    return 3;
  }
  std::FILE* mark = std::fopen("/installed", "ab");
  if (mark == nullptr) return 4;
  std::fprintf(mark, "%s\n", words.back().c_str());
  return std::fclose(mark);
}

// Under the name of python: shows the program, where it runs, and its arguments.
int pose_as_python(const std::vector<std::string>& words) {
  char folder[4096];
  if (words.size() < 2 || ::getcwd(folder, sizeof(folder)) == nullptr) return 2;
  std::printf("python in %s runs", folder);
  for (std::size_t i = 1; i < words.size(); ++i) std::printf(" <%s>", words[i].c_str());
  std::printf("\n");
  return print_file(words[1]) ? 0 : 3;
}

// Asks the agent at SSH_AUTH_SOCK as ssh-add does: SSH_AGENTC_REQUEST_IDENTITIES, answered by
// SSH_AGENT_IDENTITIES_ANSWER with their number (draft-miller-ssh-agent, 4.4).
int count_keys() {
  const char* path = std::getenv("SSH_AUTH_SOCK");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path)) return 2;
  std::strcpy(address.sun_path, path);
  const int agent = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::connect(agent, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return 3;
  const unsigned char request[] = {0, 0, 0, 1, 11};
  if (::write(agent, request, sizeof(request)) != static_cast<ssize_t>(sizeof(request))) return 4;
  unsigned char answer[9];
  for (std::size_t size = 0; size < sizeof(answer);) {
    const ssize_t more = ::read(agent, answer + size, sizeof(answer) - size);
    if (more <= 0) return 5;
    size += static_cast<std::size_t>(more);
  }
  std::printf("answer %d, %d keys\n", answer[4], answer[8]);
  return 0;
}

// The other signals end a process only if it asked for it when it is the first of its namespace.
void leave(int) { ::_exit(42); }

}  // namespace

int main(int argc, char** argv) {
  const std::string self = name_of(argv[0]);
  if (self == "pip") return pose_as_pip(std::vector<std::string>(argv, argv + argc));
  if (self == "python") return pose_as_python(std::vector<std::string>(argv, argv + argc));
  const std::string what = argc > 1 ? argv[1] : "";
  const auto word = [&](int i) { return i < argc ? std::string(argv[i]) : std::string(); };
  const auto number = [&](int i) { return std::atoi(word(i).c_str()); };
  if (what == "walk") return walk(word(2), "") == 0 ? 0 : 1;
  if (what == "exit") return number(2);
  // say STATUS OUT ERR: each text to its stream, then the status.
  if (what == "say") {
    std::fputs(word(3).c_str(), stdout);
    std::fflush(stdout);
    std::fputs(word(4).c_str(), stderr);
    return number(2);
  }
  // lines STATUS COUNT: numbered lines, then the status.
  if (what == "lines") {
    for (int i = 1; i <= number(3); ++i) std::printf("line %d\n", i);
    return number(2);
  }
  // ticks STATUS COUNT MILLISECONDS: a numbered line each time, then the status.
  if (what == "ticks") {
    for (int i = 1; i <= number(3); ++i) {
      std::printf("tick %d\n", i);
      std::fflush(stdout);
      ::usleep(static_cast<unsigned>(number(4)) * 1000);
    }
    return number(2);
  }
  // pour BYTES: so many bytes on standard output.
  if (what == "pour") {
    for (int left = number(2); left > 0; --left) std::putchar("0123456789abcdef"[left % 16]);
    return 0;
  }
  if (what == "cat") {
    char block[65536];
    std::size_t size = 0;
    while ((size = std::fread(block, 1, sizeof(block), stdin)) > 0) std::fwrite(block, 1, size, stdout);
    std::fflush(stdout);
    std::fputs("end of input\n", stderr);
    return 0;
  }
  // show FILE: what is in it.
  if (what == "show") return print_file(word(2)) ? 0 : 1;
  // append FILE TEXT: one line more.
  if (what == "append") {
    std::FILE* file = std::fopen(word(2).c_str(), "ab");
    if (file == nullptr) return 1;
    std::fprintf(file, "%s\n", word(3).c_str());
    return std::fclose(file);
  }
  // keys: how many keys the ssh agent has.
  if (what == "keys") return count_keys();
  // sleep SECONDS MARK: the mark finds it in a list of processes. SIGINT ends it with 42.
  if (what == "sleep") {
    ::signal(SIGINT, leave);
    std::puts("asleep");
    std::fflush(stdout);
    ::sleep(static_cast<unsigned>(number(2)));
    return 0;
  }
  // env NAME…: the values, a line each.
  if (what == "env") {
    for (int i = 2; i < argc; ++i) {
      const char* value = std::getenv(argv[i]);
      std::printf("%s=%s\n", argv[i], value != nullptr ? value : "(unset)");
    }
    return 0;
  }
  std::fprintf(stderr, "probe: unknown command '%s'\n", what.c_str());
  return 99;
}
