// How fast a context is packed and sent, beside what else could be done with the same tree on this machine:
//
//     context_bench [ROUNDS [FOLDER]]
//
// FOLDER holds the tree and is made when it is not there. Each round measures everything once, one after the
// other; the ratios are of the same round, and the median of the rounds is what counts. The sink is a process
// of its own behind a Unix socket, that reads and forgets.

#include "dockline/archive/build_context.hpp"

#include "archive/ignore_rules.hpp"
#include "core/pending.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace dockline::archive {
namespace {

using clock_type = std::chrono::steady_clock;
constexpr std::size_t block_size = 256 * 1024;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// 5,000 files of 0.2 to 8 kB, 200 MB that compress, 200 MB that do not.
void make_tree(const std::string& root) {
  if (std::filesystem::exists(root + "/Dockerfile")) return;
  std::mt19937_64 random(1);
  std::filesystem::create_directories(root);
  const auto words = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) text += "line " + std::to_string(random() % 4000) + " of a log\n";
    text.resize(size);
    return text;
  };
  for (int i = 0; i < 5000; ++i) {
    const std::string folder = root + "/src/" + std::to_string(i / 50);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/file" + std::to_string(i) + ".txt") << words(200 + random() % 7800);
  }
  std::ofstream compressible(root + "/compressible", std::ios::binary);
  std::ofstream noise(root + "/random", std::ios::binary);
  std::vector<std::uint64_t> numbers(1 << 17);
  for (int i = 0; i < 200; ++i) {
    compressible << words(1 << 20);
    for (auto& number : numbers) number = random();
    noise.write(reinterpret_cast<const char*>(numbers.data()), 1 << 20);
  }
  std::ofstream(root + "/Dockerfile") << "FROM scratch\nCOPY . /\n";
}

// A child process that reads from a socket until its end.
class sink {
 public:
  sink() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      std::vector<char> block(block_size);
      while (::read(ends[1], block.data(), block.size()) > 0) continue;
      ::_exit(0);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~sink() { ::waitpid(child_, nullptr, 0); }
  // Closed by whoever takes it.
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  pid_t child_ = 0;
};

// All files, one after the other, read and written: what no packer can beat.
double plain_copy(const std::string& root, std::uint64_t& bytes) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  sink target;
  std::vector<char> block(block_size);
  const auto start = clock_type::now();
  bytes = 0;
  for (const auto& file : files) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    for (ssize_t count; (count = ::read(fd, block.data(), block.size())) > 0;) {
      for (ssize_t sent = 0; sent < count;)
        sent += ::write(target.fd(), block.data() + sent, static_cast<std::size_t>(count - sent));
      bytes += static_cast<std::uint64_t>(count);
    }
    ::close(fd);
  }
  ::close(target.fd());
  return seconds_since(start);
}

struct packed_figures {
  double seconds = 0;
  double longest_stall = 0;  // of the event loop, by the clock
  double longest_work = 0;   // between two turns of its timer, by the processor time of its thread
  std::uint64_t bytes = 0;
  std::uint64_t sent = 0;
};

// As an engine sends it: one block is read while the one before is written.
task<void> send(build_context context, boost::asio::local::stream_protocol::socket& socket,
                packed_figures& figures) {
  const std::shared_ptr<byte_source> source = context.pack();
  const auto blocks = std::make_shared<std::array<std::vector<char>, 2>>();
  for (auto& block : *blocks) block.resize(block_size);
  const auto executor = co_await asio::this_coro::executor;
  const auto read = [&](std::size_t which) {
    return pending<std::size_t>::start(executor, blocks, [&](transfer_handler handler) {
      source->async_read_some(asio::buffer((*blocks)[which]), std::move(handler));
    });
  };
  auto next = read(0);
  for (std::size_t which = 0;; which = 1 - which) {
    const auto count = co_await next.get();
    if (!count) co_return count.error();
    if (*count == 0) break;
    next = read(1 - which);
    const auto [code, sent] =
        co_await asio::async_write(socket, asio::buffer((*blocks)[which].data(), *count), no_throw);
    if (code) co_return code;
    figures.sent += sent;
  }
  figures.bytes = source->packed().bytes;
  co_return result<void>();
}

packed_figures dockline_pack(const std::string& root, compression compress, int level) {
  packed_figures figures;
  sink target;
  asio::io_context loop(1);
  boost::asio::local::stream_protocol::socket socket(loop, boost::asio::local::stream_protocol(),
                                                     target.fd());
  asio::steady_timer timer(loop);
  auto last = clock_type::now();
  double worked = thread_seconds();
  std::function<void()> tick = [&] {
    timer.expires_after(std::chrono::milliseconds(1));
    timer.async_wait([&](error_code code) {
      if (code || figures.seconds > 0) return;
      figures.longest_stall = std::max(figures.longest_stall, seconds_since(last) - 0.001);
      figures.longest_work = std::max(figures.longest_work, thread_seconds() - worked);
      last = clock_type::now();
      worked = thread_seconds();
      tick();
    });
  };
  const auto start = clock_type::now();
  tick();
  context_options options;
  options.directory = root;
  options.compress = compress;
  options.compression_level = level;
  diagnostics why;
  async_open_context(loop.get_executor(), options, why, [&](error_code code, build_context context) {
    if (code) std::abort();
    asio::co_spawn(loop, send(std::move(context), socket, figures),
                   [&](std::exception_ptr, result<void> sent) {
                     if (!sent) std::printf("failed: %s\n", sent.error().message().c_str());
                     socket.close();
                     // Where it has just expired there is nothing to cancel; then it sees that all is over.
                     timer.cancel();
                     figures.seconds = seconds_since(start);
                   });
  });
  loop.run();
  return figures;
}

// A program that writes to its standard output.
double program(const std::string& command) {
  sink target;
  const auto start = clock_type::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(target.fd(), STDOUT_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(target.fd());
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? seconds_since(start) : 0;
}

bool installed(const char* name) {
  return std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0;
}

// Runs in a child, so that what it leaves in memory is its own: the peak above what the idle process has.
template <class Work>
long peak_kib(Work work) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    const auto peak = [] {
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      return usage.ru_maxrss;
    };
    const long before = peak();
    work();
    const long grown = peak() - before;
    if (::write(ends[1], &grown, sizeof(grown)) != sizeof(grown)) ::_exit(1);
    ::_exit(0);
  }
  ::close(ends[1]);
  long grown = 0;
  if (::read(ends[0], &grown, sizeof(grown)) != sizeof(grown)) grown = -1;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return grown;
}

double match_paths() {
  std::string rules;
  const char* shapes[] = {"dir%/sub", "**/*.ext%", "*.tmp%",     "build%/**", "**/cache%",
                          "a%*b?c",   "!keep%/*",  "src/*/gen%", "[x-z]%*",   "lib%.so"};
  for (int i = 0; i < 100; ++i) {
    std::string rule = shapes[i % 10];
    rule.replace(rule.find('%'), 1, std::to_string(i / 10));
    rules += rule + "\n";
  }
  diagnostics why;
  const auto parsed = ignore_rules::parse(rules, "rules", why);
  if (!parsed) std::abort();
  ignore_matcher matcher(*parsed);
  std::vector<std::string> paths;
  for (int i = 0; i < 100000; ++i)
    paths.push_back("src/module" + std::to_string(i % 300) + "/part" + std::to_string(i % 7) + "/file" +
                    std::to_string(i) + ".cpp");
  const rule_marks inherited(parsed->rules().size(), false);
  const auto start = clock_type::now();
  std::size_t kept = 0;
  for (const auto& path : paths) kept += matcher.ignored_by(path, inherited, nullptr) == nullptr ? 1u : 0u;
  const double seconds = seconds_since(start);
  if (kept != paths.size()) std::printf("(%zu kept)\n", kept);
  return seconds;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct column {
  const char* name;
  std::vector<double> seconds;
  std::uint64_t bytes = 0;  // that were packed
  std::uint64_t sent = 0;
};

void print(const column& row, const column& against) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < row.seconds.size(); ++i) ratios.push_back(against.seconds[i] / row.seconds[i]);
  const double seconds = median(row.seconds);
  std::printf("%-28s %7.3f s %8.0f MB/s   %6.2f x %s", row.name, seconds,
              static_cast<double>(row.bytes) / seconds / 1e6, median(ratios), against.name);
  if (row.sent > 0) std::printf("   %.3f MB sent", static_cast<double>(row.sent) / 1e6);
  std::printf("\n");
}

}  // namespace
}  // namespace dockline::archive

int main(int count, char** arguments) {
  using namespace dockline::archive;
  ::signal(SIGPIPE, SIG_IGN);
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
  const std::string root =
      count > 2 ? arguments[2] : (std::filesystem::temp_directory_path() / "dockline-bench").string();
  make_tree(root);

  column copy{"read and write", {}, 0, 0};
  column plain{"dockline, none", {}, 0, 0};
  column gzip_1{"dockline, gzip level 1", {}, 0, 0};
  column gzip_6{"dockline, gzip level 6", {}, 0, 0};
  column tar{"tar", {}, 0, 0};
  column pigz{"tar | pigz -1", {}, 0, 0};
  column gnu{"tar | gzip -1", {}, 0, 0};
  const bool has_pigz = installed("pigz");
  const bool has_gzip = installed("gzip");
  const std::string tar_command = "tar -cf - -C '" + root + "' . ";
  double stall[2] = {};
  double work[2] = {};
  for (int round = 0; round < rounds; ++round) {
    copy.seconds.push_back(plain_copy(root, copy.bytes));
    const auto run = [&](column& into, compression compress, int level) {
      const auto figures = dockline_pack(root, compress, level);
      into.seconds.push_back(figures.seconds);
      into.bytes = figures.bytes;
      into.sent = figures.sent;
      const std::size_t which = compress == compression::none ? 0 : 1;
      stall[which] = std::max(stall[which], figures.longest_stall);
      work[which] = std::max(work[which], figures.longest_work);
    };
    run(plain, compression::none, 1);
    tar.seconds.push_back(program(tar_command));
    run(gzip_1, compression::gzip, 1);
    run(gzip_6, compression::gzip, 6);
    if (has_pigz) pigz.seconds.push_back(program(tar_command + "| pigz -1"));
    if (has_gzip) gnu.seconds.push_back(program(tar_command + "| gzip -1"));
  }
  for (column* other : {&tar, &pigz, &gnu}) other->bytes = plain.bytes;
  std::printf("%s, median of %d rounds\n", root.c_str(), rounds);
  print(copy, copy);
  print(plain, copy);
  print(tar, copy);
  if (has_pigz) {
    print(pigz, pigz);
    print(gzip_1, pigz);
  }
  if (has_gzip) {
    print(gnu, gnu);
    print(gzip_1, gnu);
    print(gzip_6, gnu);
  }
  for (const std::size_t which : {0, 1})
    std::printf("event loop, %s: longest stall %.2f ms, of which its own work %.2f ms\n",
                which == 0 ? "none" : "gzip", stall[which] * 1e3, work[which] * 1e3);
  for (const compression compress : {compression::none, compression::gzip}) {
    std::printf("peak memory, %s: %ld KiB over the idle process\n",
                compress == compression::none ? "none" : "gzip",
                peak_kib([&] { dockline_pack(root, compress, 1); }));
  }
  std::printf("100,000 paths x 100 patterns: %.3f s\n", match_paths());
}
