// What a function costs on the strand of a client, and on Asio's own of an executor without a type. A row for each way to
// queue one; medians of nine runs that take turns.
//
//     meson setup build-release --buildtype=release && ninja -C build-release test/bench/strand_bench
//     build-release/test/bench/strand_bench

#include "core/compact_strand.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace {

using namespace dockline;
using clock_type = std::chrono::steady_clock;

constexpr int functions = 500'000;
constexpr int threads = 4;
constexpr int runs = 9;

using make_strand = asio::any_io_executor (*)(const asio::any_io_executor& executor);

asio::any_io_executor make_asio_strand(const asio::any_io_executor& executor) {
  return asio::make_strand(executor);
}

template <class Run>
double nanoseconds_each(Run run) {
  const auto began = clock_type::now();
  run();
  return std::chrono::duration<double, std::nano>(clock_type::now() - began).count() / functions;
}

struct post_the_next {
  asio::any_io_executor strand;
  int left;
  void operator()() const {
    if (left > 0) asio::post(strand, post_the_next{strand, left - 1});
  }
};

double each_posts_the_next(make_strand make) {
  asio::io_context loop;
  asio::post(loop, post_the_next{make(loop.get_executor()), functions});
  return nanoseconds_each([&] { loop.run(); });
}

double dispatched_by_the_loop(make_strand make) {
  asio::io_context loop;
  const auto strand = make(loop.get_executor());
  long sum = 0;
  asio::post(loop, [&] {
    for (int i = 0; i < functions; ++i) asio::dispatch(strand, [&] { ++sum; });
  });
  return nanoseconds_each([&] { loop.run(); });
}

double dispatched_within(make_strand make) {
  asio::io_context loop;
  const auto strand = make(loop.get_executor());
  long sum = 0;
  asio::post(strand, [&] {
    for (int i = 0; i < functions; ++i) asio::dispatch(strand, [&] { ++sum; });
  });
  return nanoseconds_each([&] { loop.run(); });
}

double posted_by_threads(make_strand make) {
  asio::thread_pool pool(threads);
  const auto strand = make(pool.get_executor());
  long sum = 0;
  return nanoseconds_each([&] {
    for (int thread = 0; thread < threads; ++thread) {
      asio::post(pool, [&] {
        for (int i = 0; i < functions / threads; ++i) asio::post(strand, [&] { ++sum; });
      });
    }
    pool.join();
  });
}

struct way {
  const char* name;
  double (*measure)(make_strand make);
};
constexpr std::array ways{
    way{"each posts the next", &each_posts_the_next}, way{"dispatched by the loop", &dispatched_by_the_loop},
    way{"dispatched within", &dispatched_within}, way{"posted by 4 threads", &posted_by_threads}};

double median(std::array<double, runs> all) {
  std::sort(all.begin(), all.end());
  return all[runs / 2];
}

}  // namespace

int main() {
  std::printf("%-24s %12s %12s %8s\n", "", "compact, ns", "Asio's, ns", "ratio");
  for (const way& one : ways) {
    std::array<double, runs> compact{};
    std::array<double, runs> asios{};
    for (std::size_t i = 0; i < runs; ++i) {
      compact[i] = one.measure(&make_compact_strand);
      asios[i] = one.measure(&make_asio_strand);
    }
    std::printf("%-24s %12.0f %12.0f %8.2f\n", one.name, median(compact), median(asios),
                median(compact) / median(asios));
  }
}
