// Rows of the table of operations: containers.

#include "dockline/engine/attach.hpp"
#include "dockline/engine/container_files.hpp"
#include "dockline/engine/container_list.hpp"
#include "dockline/engine/container_stats.hpp"
#include "dockline/engine/containers.hpp"
#include "dockline/engine/exec.hpp"
#include "dockline/engine/run.hpp"

#include "engine/attach_state.hpp"
#include "engine/client_state.hpp"
#include "exchange/operation_table.hpp"
#include "exchange/success_answers.hpp"
#include "support/scripted_stream.hpp"

namespace dockline::test {
namespace {

const engine::output_sink no_sink = [](progress::output_stream, std::string_view) {};

engine::container_options container() {
  engine::container_options options;
  options.image = "app";
  return options;
}

engine::exec_options program() {
  engine::exec_options options;
  options.cmd = {"true"};
  return options;
}

engine::run_options run() {
  engine::run_options options;
  options.container = container();
  options.container.name = "run";
  options.remove = true;
  return options;
}

// A connection on which a word comes, and the end.
engine::attachment attachment_on(const scene& on) {
  auto wire = std::make_shared<scripted_stream::script>();
  wire->answers = {"a wo", "rd"};
  auto state = std::make_shared<engine::attachment_state>();
  state->executor = on.daemon.state()->strand;
  state->connection = std::make_unique<scripted_stream>(state->executor, wire);
  state->tty = true;
  return engine::attachment(std::move(state));
}

const in_table container_rows{{
    row(
        "engine::async_container_attach",
        [](scene& on, auto&&... rest) {
          return engine::async_container_attach(on.daemon, "id", engine::attach_options(),
                                                std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::attachment& streams) { return streams.state() != nullptr; }),
    row(
        "engine::async_attachment_run",
        [](scene& on, auto&&... rest) {
          return engine::async_attachment_run(attachment_on(on), nullptr, no_sink,
                                              std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_path_stat",
        [](scene& on, auto&&... rest) {
          return engine::async_container_path_stat(on.daemon, "id", "/a",
                                                   std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::container_path& path) { return path.name == "a" && path.size == 7; }),
    row(
        "engine::async_container_archive_get",
        [](scene& on, auto&&... rest) {
          return engine::async_container_archive_get(on.daemon, "id", "/a",
                                                     std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::container_archive& one) { return one.about.name == "a" && one.tar; }),
    row(
        "engine::async_container_archive_put",
        [](scene& on, auto&&... rest) {
          return engine::async_container_archive_put(on.daemon, "id", "/a", on.source(),
                                                     engine::container_put_options(),
                                                     std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_list",
        [](scene& on, auto&&... rest) {
          return engine::async_container_list(on.daemon, engine::container_list_options(),
                                              std::forward<decltype(rest)>(rest)...);
        },
        [](const std::vector<engine::container_summary>& rows) {
          return rows.size() == 1 && rows[0].id == "c1";
        }),
    row(
        "engine::async_container_inspect",
        [](scene& on, auto&&... rest) {
          return engine::async_container_inspect(on.daemon, "id", std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::container_info& one) { return one.status == "running"; }),
    row(
        "engine::async_container_prune",
        [](scene& on, auto&&... rest) {
          return engine::async_container_prune(on.daemon, engine::filter_map(),
                                               std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::containers_pruned& gone) { return gone.space_reclaimed == 7; }),
    row(
        "engine::async_container_stats",
        [](scene& on, auto&&... rest) {
          return engine::async_container_stats(
              on.daemon, "id", engine::stats_options(), [](const engine::container_stats&) {},
              std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_create",
        [](scene& on, auto&&... rest) {
          return engine::async_container_create(on.daemon, container(),
                                                std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::container_created& made) { return made.id == "made"; }),
    row(
        "engine::async_container_start",
        [](scene& on, auto&&... rest) {
          return engine::async_container_start(on.daemon, "id", std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_wait",
        [](scene& on, auto&&... rest) {
          return engine::async_container_wait(on.daemon, "id", std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::container_exit& ended) { return ended.status == 3; }),
    row(
        "engine::async_container_logs",
        [](scene& on, auto&&... rest) {
          return engine::async_container_logs(on.daemon, "id", engine::logs_options(), no_sink,
                                              std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_kill",
        [](scene& on, auto&&... rest) {
          return engine::async_container_kill(on.daemon, "id", "TERM", std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_container_remove",
        [](scene& on, auto&&... rest) {
          return engine::async_container_remove(on.daemon, "id", engine::remove_options(),
                                                std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_exec_create",
        [](scene& on, auto&&... rest) {
          return engine::async_exec_create(on.daemon, "id", program(), std::forward<decltype(rest)>(rest)...);
        },
        [](const std::string& id) { return id == told_id; }),
    row(
        "engine::async_exec_start",
        [](scene& on, auto&&... rest) {
          return engine::async_exec_start(on.daemon, "id", false, std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::attachment& streams) { return streams.state() != nullptr; }),
    row(
        "engine::async_exec_start_detached",
        [](scene& on, auto&&... rest) {
          return engine::async_exec_start_detached(on.daemon, "id", std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_exec_inspect",
        [](scene& on, auto&&... rest) {
          return engine::async_exec_inspect(on.daemon, "id", std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::exec_info& one) { return one.exit_code == 3; }),
    row(
        "engine::async_run",
        [](scene& on, auto&&... rest) {
          return engine::async_run(on.daemon, run(), no_sink, std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::run_result& ended) { return ended.id == "made" && ended.status == 3; }),
}};

}  // namespace
}  // namespace dockline::test
