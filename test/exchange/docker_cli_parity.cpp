// Random trees, packed by us and by the docker CLI's classic builder, which sends its tar to a stand-in
// daemon: the bytes must be equal. Exits 77 where there is no docker CLI of version 28 or newer.
//
//     docker_cli_parity [TREES [SEED]]

#include "../unit/archive/context_helpers.hpp"
#include "../unit/archive/scratch_tree.hpp"
#include "stand_in_daemon.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace dockline::archive {
namespace {

constexpr int skipped = 77;

int cli_version() {
  std::FILE* pipe = ::popen("docker --version 2>/dev/null", "r");
  if (pipe == nullptr) return 0;
  std::array<char, 256> line{};
  const bool read = std::fgets(line.data(), line.size(), pipe) != nullptr;
  ::pclose(pipe);
  int version = 0;
  if (!read || std::sscanf(line.data(), "Docker version %d.", &version) != 1) return 0;
  return version;
}

class random_tree {
 public:
  random_tree(const scratch_tree& tree, unsigned seed) : tree_(tree), random_(seed) {}

  void fill() {
    tree_.file("Dockerfile", "FROM scratch\n");
    directory("", 0);
    if (chance(3)) tree_.file(".dockerignore", ignore_file());
  }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool chance(unsigned one_in) { return below(one_in) == 0; }

  std::string name() {
    static const std::vector<std::string> names = {
        "a", "b",     "ab", "a.txt", "b.txt", "c.log",      "docs",    "src", "a-b", "a b",
        "A", "x.y.z", "é",  "日本",  "\xff",  "x\xfe\xfdy", ".hidden", "q",   "qx",  "zb1c"};
    switch (below(12)) {
      case 0: return std::string(95 + below(12), 'n');
      case 1: return std::string(150 + below(12), 'm');
      case 2: return std::string(below(2) ? "é" : "e") + std::string(92 + below(12), 'k');
      case 3: return std::string(230 + below(25), 'w');
      default:
        return names[below(static_cast<unsigned>(names.size()))] +
               (chance(4) ? std::to_string(below(9)) : "");
    }
  }

  void directory(const std::string& path, int depth) {
    const unsigned count = 1 + below(depth == 0 ? 14 : 7);
    for (unsigned i = 0; i < count; ++i) {
      const std::string child = path + name();
      if (std::filesystem::exists(std::filesystem::symlink_status(tree_.path(child)))) continue;
      entry(child, depth);
    }
  }

  void entry(const std::string& path, int depth) {
    const std::string where = tree_.path(path);
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        if (depth > 4) return;
        tree_.directory(path);
        directory(path + "/", depth + 1);
        break;
      case 3: ::symlink(std::string(1 + below(130), 't').c_str(), where.c_str()); return touch(where);
      case 4: ::symlink(name().c_str(), where.c_str()); return touch(where);
      case 5:
        if (!files_.empty())
          ::link(files_[below(static_cast<unsigned>(files_.size()))].c_str(), where.c_str());
        return;
      case 6:
        if (chance(4)) return socket(where);
        if (chance(2)) {
          ::mkfifo(where.c_str(), 0640);
        } else if (::mknod(where.c_str(), chance(2) ? S_IFCHR | 0600u : S_IFBLK | 0660u,
                           makedev(1 + below(300), below(70000))) != 0) {
          return;  // not everybody may
        }
        files_.push_back(where);
        break;
      default:
        tree_.file(path, std::string(below(3) ? below(1500) : below(4) * 512, 'd'));
        files_.push_back(where);
        capability(where);
    }
    ::chmod(where.c_str(), chance(5) ? 01000u * below(8) + 0500u : 0400u + below(0400));
    touch(where);
  }

  // Skipped by both.
  void socket(const std::string& where) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.size() >= sizeof(address.sun_path)) return;
    where.copy(address.sun_path, where.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    [[maybe_unused]] const int bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::close(fd);
  }

  void capability(const std::string& where) {
    if (!chance(8)) return;
    std::string value("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    if (chance(2)) value = std::string("\1\0\0\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\x27\0\0", 24);
    ::setxattr(where.c_str(), "security.capability", value.data(), value.size(), 0);
  }

  void touch(const std::string& where) {
    static const std::vector<std::int64_t> times = {
        0, -1, -1000000, 1, 1700000000, 8589934591, 8589934592, 10000000000, 2147483648, 1234567890};
    timespec time[2];
    const std::int64_t seconds =
        chance(3) ? times[below(static_cast<unsigned>(times.size()))] : 1700000000 + below(1000);
    time[0] = time[1] = {seconds, chance(2) ? 999999999 : 0};
    ::utimensat(AT_FDCWD, where.c_str(), time, AT_SYMLINK_NOFOLLOW);
  }

  std::string ignore_file() {
    static const std::vector<std::string> rules = {
        "*",      "**/*.txt",    "!a",      "!**/a*",  "a",      "*/b",      "docs",   "!docs/a.txt",
        "src/**", "!src/b",      "**/docs", "a*",      "q|b?c",  "?",        "[a-c]*", "[^a]b*",
        "*.log",  "!*.txt",      "**/ab",   "ab/*",    "# rule", "  x.y.z ", "/a b",   "!*/*",
        "**",     "!Dockerfile", "é*",      "*\\.txt", "a/../b", "m*m"};
    std::string text;
    for (unsigned i = 1 + below(6); i > 0; --i)
      text += rules[below(static_cast<unsigned>(rules.size()))] + "\n";
    return text;
  }

  const scratch_tree& tree_;
  std::mt19937 random_;
  std::vector<std::string> files_;
};

struct totals {
  int tars = 0;
  std::size_t entries = 0;
  std::size_t extended = 0;  // of these, with a PAX header
};

bool equals_cli(stand_in_daemon& daemon, const std::string& command, unsigned seed, totals& sum) {
  const scratch_tree tree;
  random_tree(tree, seed).fill();
  const std::string name = "seed " + std::to_string(seed);
  const int status = std::system((command + " '" + tree.root() + "' >/dev/null 2>&1").c_str());
  const auto builds = daemon.take();
  context_options options;
  options.directory = tree.root();
  options.mode = ignore_mode::classic;
  const packed_bytes ours = pack(options);
  if (status != 0 || builds.size() != 1) {
    std::printf("%s: docker failed, dockline says: %s\n", name.c_str(), ours.code.message().c_str());
    return static_cast<bool>(ours.code);
  }
  const std::string& theirs = builds.front().body;
  bool ended = false;
  const auto kept = names_of(read_tar(theirs, ended));
  if (std::find(kept.begin(), kept.end(), "Dockerfile") == kept.end()) return true;  // the CLI's own mistake
  ++sum.tars;
  sum.entries += kept.size();
  for (std::size_t at = theirs.find("ustar"); at != std::string::npos; at = theirs.find("ustar", at + 1))
    sum.extended += theirs[at - 257 + 156] == 'x' ? 1u : 0u;
  if (!ours.code && ours.bytes == theirs) return true;
  std::printf("%s: the tars differ (%s %s)\n", name.c_str(), ours.code.message().c_str(), ours.why.c_str());
  const auto at = std::mismatch(theirs.begin(), theirs.end(), ours.bytes.begin(), ours.bytes.end()).first;
  std::printf("  docker %zu bytes, dockline %zu, first difference at %td\n", theirs.size(), ours.bytes.size(),
              at - theirs.begin());
  const auto mine = names_of(read_tar(ours.bytes, ended));
  for (std::size_t i = 0; i < std::max(kept.size(), mine.size()); ++i) {
    const std::string left = i < kept.size() ? kept[i] : "-";
    const std::string right = i < mine.size() ? mine[i] : "-";
    if (left == right) continue;
    std::printf("  entry %zu: docker %s, dockline %s\n", i, left.c_str(), right.c_str());
    break;
  }
  return false;
}

}  // namespace
}  // namespace dockline::archive

int main(int count, char** arguments) {
  using namespace dockline;
  using namespace dockline::archive;
  if (cli_version() < 28) {
    std::puts("no docker CLI of version 28 or newer");
    return skipped;
  }
  const unsigned trees = count > 1 ? static_cast<unsigned>(std::atoi(arguments[1])) : 40;
  const unsigned first = count > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
  const scratch_tree own;
  const std::string socket = own.path("socket");
  stand_in_daemon daemon(socket);
  // Nothing of the user's configuration.
  const std::string command = "env DOCKER_BUILDKIT=0 DOCKER_CONFIG='" + own.root() +
                              "' DOCKER_HOST='unix://" + socket + "' docker build";
  unsigned failed = 0;
  totals sum;
  for (unsigned seed = first; seed < first + trees; ++seed) {
    if (!equals_cli(daemon, command, seed, sum)) ++failed;
  }
  std::printf("%u trees, %d tars compared, %zu entries, %zu with a PAX header, %u tars differ\n", trees,
              sum.tars, sum.entries, sum.extended, failed);
  return failed == 0 && sum.tars > 0 ? 0 : 1;
}
