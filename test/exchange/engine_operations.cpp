// Rows of the table of operations: the daemon, its builder and its images.

#include "dockline/engine/auth_check.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/build_cache.hpp"
#include "dockline/engine/disk_usage.hpp"
#include "dockline/engine/distribution.hpp"
#include "dockline/engine/events.hpp"
#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/image_transfer.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/system.hpp"

#include "exchange/operation_table.hpp"
#include "exchange/success_answers.hpp"

namespace dockline::test {
namespace {

const in_table engine_rows{{
    row(
        "engine::async_ping",
        [](scene& on, auto&&... rest) {
          return engine::async_ping(on.daemon, std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::ping_result& pong) { return pong.api_version == "1.41"; }),
    row(
        "engine::async_version",
        [](scene& on, auto&&... rest) {
          return engine::async_version(on.daemon, std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::version_result& daemon) { return daemon.version == "1.2.3"; }),
    row(
        "engine::async_info",
        [](scene& on, auto&&... rest) {
          return engine::async_info(on.daemon, std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::system_info& daemon) { return daemon.cpus == 2; }),
    row(
        "engine::async_auth_check",
        [](scene& on, auto&&... rest) {
          return engine::async_auth_check(on.daemon, engine::registry_auth(),
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::auth_check_result& said) { return said.status == "Login Succeeded"; }),
    row(
        "engine::async_disk_usage",
        [](scene& on, auto&&... rest) {
          return engine::async_disk_usage(on.daemon, engine::disk_usage_options(),
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::disk_usage& used) { return used.layers_size == 7 && used.images.size() == 1; }),
    row(
        "engine::async_events",
        [](scene& on, auto&&... rest) {
          return engine::async_events(
              on.daemon, engine::events_options(), [](const engine::daemon_event&) {},
              std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_distribution_inspect",
        [](scene& on, auto&&... rest) {
          return engine::async_distribution_inspect(on.daemon, "app", engine::registry_auth(),
                                                    std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::distribution_info& one) { return one.digest == told_digest; }),
    row(
        "engine::async_build",
        [](scene& on, auto&&... rest) {
          return engine::async_build(on.daemon, on.source(), engine::build_options(), nullptr,
                                     std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::built_image& image) { return image.id == "sha256:" + told_id; }),
    row(
        "engine::async_build_prune",
        [](scene& on, auto&&... rest) {
          return engine::async_build_prune(on.daemon, engine::build_prune_options(),
                                           std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::build_cache_pruned& gone) { return gone.space_reclaimed == 7; }),
    row(
        "engine::async_build_cancel",
        [](scene& on, auto&&... rest) {
          return engine::async_build_cancel(on.daemon, "build", std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_image_list",
        [](scene& on, auto&&... rest) {
          return engine::async_image_list(on.daemon, engine::image_list_options(),
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const std::vector<engine::image_summary>& rows) { return rows.size() == 1 && rows[0].size == 7; }),
    row(
        "engine::async_image_prune",
        [](scene& on, auto&&... rest) {
          return engine::async_image_prune(on.daemon, engine::image_prune_options(),
                                           std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::images_pruned& gone) { return gone.space_reclaimed == 7; }),
    row(
        "engine::async_image_search",
        [](scene& on, auto&&... rest) {
          return engine::async_image_search(on.daemon, "app", engine::image_search_options(),
                                            std::forward<decltype(rest)>(rest)...);
        },
        [](const std::vector<engine::found_image>& rows) { return rows.size() == 1 && rows[0].stars == 7; }),
    row(
        "engine::async_image_inspect",
        [](scene& on, auto&&... rest) {
          return engine::async_image_inspect(on.daemon, "app", std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::image_info& image) { return image.id == "sha256:" + told_id; }),
    row(
        "engine::async_image_history",
        [](scene& on, auto&&... rest) {
          return engine::async_image_history(on.daemon, "app", std::forward<decltype(rest)>(rest)...);
        },
        [](const std::vector<engine::image_layer>& layers) {
          return layers.size() == 1 && layers[0].size == 7;
        }),
    row(
        "engine::async_image_tag",
        [](scene& on, auto&&... rest) {
          return engine::async_image_tag(on.daemon, "app", "app:2", std::forward<decltype(rest)>(rest)...);
        },
        no_value),
    row(
        "engine::async_image_remove",
        [](scene& on, auto&&... rest) {
          return engine::async_image_remove(on.daemon, "app", engine::image_remove_options(),
                                            std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::image_removed& gone) { return gone.untagged.size() == 1; }),
    row(
        "engine::async_image_push",
        [](scene& on, auto&&... rest) {
          return engine::async_image_push(on.daemon, "app", engine::push_options(), nullptr,
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::pushed_image& pushed) {
          return pushed.tags.size() == 1 && pushed.tags[0].digest == told_digest;
        }),
    row(
        "engine::async_image_pull",
        [](scene& on, auto&&... rest) {
          return engine::async_image_pull(on.daemon, "app", engine::pull_options(), nullptr,
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::pulled_image& image) { return image.digest == told_digest; }),
    row(
        "engine::async_image_save",
        [](scene& on, auto&&... rest) {
          const std::vector<std::string> names{"app"};
          return engine::async_image_save(on.daemon, names, engine::image_save_options(),
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const std::shared_ptr<byte_source>& tar) { return tar != nullptr; }),
    row(
        "engine::async_image_load",
        [](scene& on, auto&&... rest) {
          return engine::async_image_load(on.daemon, on.source(), engine::image_load_options(), nullptr,
                                          std::forward<decltype(rest)>(rest)...);
        },
        [](const engine::loaded_images& images) { return images.references.size() == 1; }),
    row(
        "engine::async_image_import",
        [](scene& on, auto&&... rest) {
          return engine::async_image_import(on.daemon, on.source(), engine::image_import_options(), nullptr,
                                            std::forward<decltype(rest)>(rest)...);
        },
        [](const std::string& id) { return id == "sha256:" + told_id; }),
}};

}  // namespace
}  // namespace dockline::test
