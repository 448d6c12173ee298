#include "dockline/engine/container_files.hpp"

#include "core/encoding.hpp"
#include "engine/answer_fields.hpp"
#include "engine/answer_source.hpp"
#include "engine/answers.hpp"
#include "engine/container_requests.hpp"
#include "engine/one_answer.hpp"

namespace dockline::engine {
namespace {

// What a path is: an object, as base64.
constexpr std::string_view path_field = "X-Docker-Container-Path-Stat";

// The bits of Go's os.FileMode, in which the daemon tells what a path is.
constexpr std::uint64_t go_directory = std::uint64_t{1} << 31;
constexpr std::uint64_t go_symlink = std::uint64_t{1} << 27;
constexpr std::uint64_t go_set_uid = std::uint64_t{1} << 23;
constexpr std::uint64_t go_set_gid = std::uint64_t{1} << 22;
constexpr std::uint64_t go_sticky = std::uint64_t{1} << 20;
// Devices, pipes, sockets and what else is no file.
constexpr std::uint64_t go_special = std::uint64_t{1} << 26 | std::uint64_t{1} << 25 |
                                     std::uint64_t{1} << 24 | std::uint64_t{1} << 21 | std::uint64_t{1} << 19;

task<container_path> look_at(std::shared_ptr<client_state> state, std::string id, std::string path,
                             diagnostics& why) {
  auto reply = co_await state->call(requests::container_path_stat(id, path), why);
  if (!reply) co_return reply.error();
  co_return read_container_path(reply->head.find(path_field), why);
}

task<container_archive> open_archive(std::shared_ptr<client_state> state, std::string id, std::string path,
                                     diagnostics& why) {
  auto over = co_await state->open(requests::container_archive_get(id, path), nullptr, why);
  if (!over) co_return over.error();
  auto about = read_container_path((*over)->head().find(path_field), why);
  if (!about) co_return about.error();
  container_archive archive;
  archive.about = std::move(*about);
  archive.tar = make_answer_source(state, std::move(*over));
  co_return std::move(archive);
}

}  // namespace

result<container_path> read_container_path(std::string_view field, diagnostics& why) {
  const auto text = decode_base64(field);
  if (!text || text->empty()) {
    why.set_client_message("the daemon did not tell what the path is");
    return errc::unexpected_answer;
  }
  const auto parsed = json::parse(*text);
  if (!parsed) return parsed.error();
  const json::value root = parsed->root();
  container_path path;
  path.name = text_of(root, "name");
  path.size = number_of(root, "size");
  path.modified = text_of(root, "mtime");
  path.link_target = text_of(root, "linkTarget");
  const std::uint64_t mode = counter_of(root, "mode");
  path.permissions = static_cast<std::uint32_t>(mode & 0777);
  if ((mode & go_set_uid) != 0) path.permissions |= 04000;
  if ((mode & go_set_gid) != 0) path.permissions |= 02000;
  if ((mode & go_sticky) != 0) path.permissions |= 01000;
  if ((mode & go_directory) != 0) {
    path.type = container_path_type::directory;
  } else if ((mode & go_symlink) != 0) {
    path.type = container_path_type::symlink;
  } else if ((mode & go_special) != 0) {
    path.type = container_path_type::other;
  }
  return path;
}

void start_container_path_stat(client daemon, std::string id, std::string path, diagnostics* why,
                               completion_handler<container_path> handler) {
  auto state = daemon.state();
  spawn<container_path>(state->strand, why, std::move(handler),
                        [state, id = std::move(id), path = std::move(path)](diagnostics& words) {
                          return look_at(state, id, path, words);
                        });
}

void start_container_archive_get(client daemon, std::string id, std::string path, diagnostics* why,
                                 completion_handler<container_archive> handler) {
  auto state = daemon.state();
  spawn<container_archive>(state->strand, why, std::move(handler),
                           [state, id = std::move(id), path = std::move(path)](diagnostics& words) {
                             return open_archive(state, id, path, words);
                           });
}

void start_container_archive_put(client daemon, std::string id, std::string path,
                                 std::shared_ptr<byte_source> tar, container_put_options options,
                                 diagnostics* why, completion_handler<void> handler) {
  endpoint what = requests::container_archive_put(id, path, options);
  what.source = std::move(tar);
  start_command(daemon, std::move(what), why, std::move(handler));
}

}  // namespace dockline::engine
