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
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
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

// How long this thread was ready to run and had no processor of this machine's, in seconds, as its scheduler
// counts it. Where the machine itself is not run, being a virtual one, nobody is told.
double waited_seconds() {
  static const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  std::array<char, 128> text{};
  if (file < 0 || ::pread(file, text.data(), text.size() - 1, 0) <= 0) return 0;
  unsigned long long ran = 0;
  unsigned long long waited = 0;
  if (std::sscanf(text.data(), "%llu %llu", &ran, &waited) != 2) return 0;
  return static_cast<double>(waited) * 1e-9;
}

// What lay between two turns of a timer of 1 ms on an event loop, in seconds.
struct stall {
  double length = 0;   // by the clock, less the millisecond
  double worked = 0;   // processor time of the loop's thread
  double waited = 0;   // ready to run
  double stopped = 0;  // of its length, a processor of the machine was not run
};

constexpr double stall_bar = 0.005;

// When this machine was not run, being a virtual one: what threads miss that wait for a millisecond again and
// again, one bound to each processor, and go before all others there. Needs root.
class machine_watch {
 public:
  machine_watch() {
    for (unsigned i = 0; i < std::max(std::thread::hardware_concurrency(), 1u); ++i)
      threads_.emplace_back([this, i] { watch(i); });
  }
  machine_watch(const machine_watch&) = delete;
  machine_watch& operator=(const machine_watch&) = delete;
  ~machine_watch() {
    over_ = true;
    for (std::thread& one : threads_) one.join();
  }

  // How much of the time between the two there was a processor that was not run, in seconds.
  double stopped(clock_type::time_point from, clock_type::time_point to) {
    const std::scoped_lock hold(mutex_);
    double longest = 0;
    for (const auto& [began, ended] : missed_)
      longest = std::max(longest,
                         std::chrono::duration<double>(std::min(ended, to) - std::max(began, from)).count());
    return longest;
  }

 private:
  void watch(unsigned processor) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    sched_param first{};
    first.sched_priority = 1;
    if (::pthread_setaffinity_np(::pthread_self(), sizeof only, &only) != 0 ||
        ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &first) != 0)
      return;
    constexpr auto period = std::chrono::milliseconds(1);
    while (!over_) {
      const auto due = clock_type::now() + period;
      std::this_thread::sleep_until(due);
      const auto now = clock_type::now();
      if (now < due + period) continue;
      const std::scoped_lock hold(mutex_);
      missed_.emplace_back(due, now);
    }
  }

  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::vector<std::pair<clock_type::time_point, clock_type::time_point>> missed_;
  std::vector<std::thread> threads_;
};

machine_watch* machine = nullptr;

struct stalls {
  stall longest;
  double longest_running = 0;  // in seconds, less what the machine was stopped
  double most_work = 0;        // in seconds, of the loop's own, between two turns
  int over_bar = 0;

  void add(const stall& one) {
    if (one.length > longest.length) longest = one;
    longest_running = std::max(longest_running, one.length - one.stopped);
    if (one.length > stall_bar) ++over_bar;
    most_work = std::max(most_work, one.worked);
  }
  void join(const stalls& others) {
    if (others.longest.length > longest.length) longest = others.longest;
    longest_running = std::max(longest_running, others.longest_running);
    most_work = std::max(most_work, others.most_work);
    over_bar += others.over_bar;
  }
};

// The timer, from its construction to stop(), on the thread that runs the loop.
class stall_probe {
 public:
  explicit stall_probe(asio::io_context& loop) : timer_(loop) { wait(); }

  void stop() {
    stopped_ = true;
    timer_.cancel();
  }
  const stalls& seen() const { return seen_; }

 private:
  void wait() {
    last_ = clock_type::now();
    worked_ = thread_seconds();
    waited_ = waited_seconds();
    timer_.expires_after(std::chrono::milliseconds(1));
    timer_.async_wait([this](error_code) {
      if (stopped_) return;
      stall now{seconds_since(last_) - 0.001, thread_seconds() - worked_, waited_seconds() - waited_, 0};
      const auto end = clock_type::now();
      // The watch's threads have woken as well by then, though another processor may write it down later.
      if (now.length > stall_bar) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (machine != nullptr) now.stopped = machine->stopped(last_, end);
      seen_.add(now);
      wait();
    });
  }

  asio::steady_timer timer_;
  clock_type::time_point last_;
  double worked_ = 0;
  double waited_ = 0;
  bool stopped_ = false;
  stalls seen_;
};

// The same timer with nothing of dockline's in the process, while as many others as there are processors only
// count, as politely as what compresses: what is left is the machine's doing.
stalls stalls_of_the_machine(double seconds) {
  std::vector<pid_t> others;
  for (unsigned i = 0; i < std::max(std::thread::hardware_concurrency(), 1u); ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::nice(10);
      for (volatile std::uint64_t counted = 0;;) counted = counted + 1;
    }
    others.push_back(child);
  }
  asio::io_context loop(1);
  stall_probe probe(loop);
  loop.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(seconds)));
  for (const pid_t child : others) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  return probe.seen();
}

struct packed_figures {
  double seconds = 0;
  stalls loop;
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
  stall_probe probe(loop);
  const auto start = clock_type::now();
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
                     figures.seconds = seconds_since(start);
                     probe.stop();
                   });
  });
  loop.run();
  figures.loop = probe.seen();
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

void print(const char* what, const stalls& loop) {
  std::printf(
      "event loop, %s: longest stall %.2f ms (worked %.2f, waited for a processor %.2f, the machine stopped "
      "%.2f), %d over %.0f ms; longest less the machine's stops %.2f ms; most work at a time %.2f ms\n",
      what, loop.longest.length * 1e3, loop.longest.worked * 1e3, loop.longest.waited * 1e3,
      loop.longest.stopped * 1e3, loop.over_bar, stall_bar * 1e3, loop.longest_running * 1e3,
      loop.most_work * 1e3);
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
  machine_watch watching;
  machine = &watching;

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
  stalls loop[2];
  double compressing = 0;
  for (int round = 0; round < rounds; ++round) {
    copy.seconds.push_back(plain_copy(root, copy.bytes));
    const auto run = [&](column& into, compression compress, int level) {
      const auto figures = dockline_pack(root, compress, level);
      into.seconds.push_back(figures.seconds);
      into.bytes = figures.bytes;
      into.sent = figures.sent;
      const std::size_t which = compress == compression::none ? 0 : 1;
      loop[which].join(figures.loop);
      if (compress == compression::gzip) compressing += figures.seconds;
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
  print("none", loop[0]);
  print("gzip", loop[1]);
  print("the machine", stalls_of_the_machine(compressing));
  for (const compression compress : {compression::none, compression::gzip}) {
    std::printf("peak memory, %s: %ld KiB over the idle process\n",
                compress == compression::none ? "none" : "gzip", peak_kib([&] {
                  machine = nullptr;  // its threads are not in this process
                  dockline_pack(root, compress, 1);
                }));
  }
  std::printf("100,000 paths x 100 patterns: %.3f s\n", match_paths());
}
