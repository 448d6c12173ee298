#include "dockline/engine/container_stats.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/container_requests.hpp"
#include "engine/message_stream.hpp"

#include <algorithm>

namespace dockline::engine {
namespace {

// As `docker stats` shows it: what was used of all CPUs' time since the sample before, times their number.
double cpu_percent_of(json::value sample, std::int64_t cpus) {
  const json::value now = sample.find("cpu_stats");
  const json::value before = sample.find("precpu_stats");
  const auto used = [](json::value of) { return counter_of(of.find("cpu_usage"), "total_usage"); };
  const std::uint64_t system_before = counter_of(before, "system_cpu_usage");
  if (system_before == 0) return 0;
  const double spent = static_cast<double>(used(now)) - static_cast<double>(used(before));
  const double passed =
      static_cast<double>(counter_of(now, "system_cpu_usage")) - static_cast<double>(system_before);
  return spent > 0 && passed > 0 ? spent / passed * static_cast<double>(cpus) * 100 : 0;
}

// The memory that counts against the limit holds file pages that the kernel gives up first: cgroup v1 tells
// them as total_inactive_file, v2 as inactive_file.
std::uint64_t memory_of(json::value memory) {
  const std::uint64_t usage = counter_of(memory, "usage");
  const json::value parts = memory.find("stats");
  const bool first = parts.find("total_inactive_file").exists();
  const std::uint64_t cache = counter_of(parts, first ? "total_inactive_file" : "inactive_file");
  return cache < usage ? usage - cache : usage;
}

task<void> watch(std::shared_ptr<client_state> state, std::string id, stats_options options,
                 stats_sink on_sample, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::container_stats(id, options, *version, why);
  if (!what) co_return what.error();
  json::document document;
  value_taker take = [&](std::string_view text) {
    if (const error_code bad = document.parse(text)) return bad;
    if (on_sample) on_sample(read_stats_sample(document.root(), text));
    return error_code();
  };
  auto over = co_await stream_values(state, std::move(*what), std::move(take), "stats", why);
  co_return over;
}

}  // namespace

container_stats read_stats_sample(json::value root, std::string_view text) {
  container_stats sample;
  sample.read = text_of(root, "read");
  const json::value cpu = root.find("cpu_stats");
  sample.cpu_total = counter_of(cpu.find("cpu_usage"), "total_usage");
  sample.online_cpus = number_of(cpu, "online_cpus");
  if (sample.online_cpus == 0) {
    sample.online_cpus =
        static_cast<std::int64_t>(cpu.find("cpu_usage").find("percpu_usage").elements().size());
  }
  sample.cpu_percent = cpu_percent_of(root, sample.online_cpus);
  sample.memory_usage = memory_of(root.find("memory_stats"));
  sample.memory_limit = counter_of(root.find("memory_stats"), "limit");
  for (const json::member one : root.find("networks").members()) {
    sample.network_received += counter_of(one.value, "rx_bytes");
    sample.network_transmitted += counter_of(one.value, "tx_bytes");
  }
  for (const json::value one : root.find("blkio_stats").find("io_service_bytes_recursive").elements()) {
    // "Read" of cgroup v1, "read" of v2.
    const std::string op = text_of(one, "op");
    if (op == "Read" || op == "read") sample.block_read += counter_of(one, "value");
    if (op == "Write" || op == "write") sample.block_written += counter_of(one, "value");
  }
  sample.pids = number_of(root.find("pids_stats"), "current");
  sample.raw = text;
  return sample;
}

void start_container_stats(client daemon, std::string id, stats_options options, stats_sink on_sample,
                           diagnostics* why, completion_handler<void> handler) {
  auto state = daemon.state();
  spawn<void>(state->strand, why, std::move(handler),
              [state, id = std::move(id), options, on_sample = std::move(on_sample)](diagnostics& words) {
                return watch(state, id, options, on_sample, words);
              });
}

}  // namespace dockline::engine
