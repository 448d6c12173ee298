#pragma once

// Files in and out of a container, as a tar: HEAD, GET and PUT /containers/{id}/archive. The container need
// not run.

#include "dockline/core/byte_source.hpp"
#include "dockline/engine/client.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace dockline::engine {

// What a path is.
enum class container_path_type {
  file,       // a regular one
  directory,  // also one that a volume is mounted on
  symlink,    // it is not followed
  other       // a device, a pipe, a socket
};

// What is at a path in a container.
struct container_path {
  container_path() = default;

  std::string name;                                      // the last part of the path
  container_path_type type = container_path_type::file;  // from the daemon's `mode`
  std::uint32_t permissions = 0;                         // 0755
  std::int64_t size = 0;                                 // bytes
  std::string modified;                                  // RFC 3339
  std::string link_target;                               // of a symlink
};

// A path in a container, and its tar.
struct container_archive {
  container_archive() = default;

  container_path about;              // what was asked for
  std::shared_ptr<byte_source> tar;  // a directory with all that is in it, else one entry
};

// How a tar is unpacked in a container.
struct container_put_options {
  container_put_options() = default;

  bool keep_types = false;  // fail where a file would replace a directory, or the other way round
  // Of the entries, by number; else all is the container's user's. Since API 1.30, ignored below.
  bool keep_owners = false;
};

DOCKLINE_API void start_container_path_stat(client daemon, std::string id, std::string path, diagnostics* why,
                                            completion_handler<container_path> handler);
DOCKLINE_API void start_container_archive_get(client daemon, std::string id, std::string path,
                                              diagnostics* why,
                                              completion_handler<container_archive> handler);
DOCKLINE_API void start_container_archive_put(client daemon, std::string id, std::string path,
                                              std::shared_ptr<byte_source> tar, container_put_options options,
                                              diagnostics* why, completion_handler<void> handler);

// Looks at a path in a container.
//
// Completion: when the answer is there.
// Signature: void(error_code, container_path).
// Lifetimes: `why` stays until completion.
// Cancellation: any type, at once.
// Errors: errc::not_found for the container as for the path, and since a HEAD is answered without a body the
// daemon says no words; those of async_ping; errc::malformed_json.
// Source: Docker Engine API, ContainerArchiveInfo, since 1.20.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_path_stat(const client& daemon, std::string id, std::string path, diagnostics& why,
                               Token&& token = {}) {
  return initiate<container_path>(&start_container_path_stat, std::forward<Token>(token), &why, daemon,
                                  std::move(id), std::move(path));
}
template <class Token = default_token>
auto async_container_path_stat(const client& daemon, std::string id, std::string path, Token&& token = {}) {
  return initiate<container_path>(&start_container_path_stat, std::forward<Token>(token), nullptr, daemon,
                                  std::move(id), std::move(path));
}

// Opens the tar of a path in a container.
//
// Completion: when the daemon has begun to answer. The bytes come as they are read from the source, no
// faster; dropping the source closes the connection.
// Signature: void(error_code, container_archive).
// Lifetimes: `why` stays until completion; the source keeps what it needs.
// Cancellation: any type, at once.
// Errors: errc::not_found; those of async_ping; errc::malformed_json. Of a read of the source:
// errc::connection_lost, errc::malformed_http; no deadline holds. A read that was cancelled ends the source.
// Source: Docker Engine API, ContainerArchive, since 1.20.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_archive_get(const client& daemon, std::string id, std::string path, diagnostics& why,
                                 Token&& token = {}) {
  return initiate<container_archive>(&start_container_archive_get, std::forward<Token>(token), &why, daemon,
                                     std::move(id), std::move(path));
}
template <class Token = default_token>
auto async_container_archive_get(const client& daemon, std::string id, std::string path, Token&& token = {}) {
  return initiate<container_archive>(&start_container_archive_get, std::forward<Token>(token), nullptr,
                                     daemon, std::move(id), std::move(path));
}

// Unpacks a tar, compressed or not, in a directory of a container that must be there.
//
// Completion: when it is unpacked.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion; the rest is kept.
// Cancellation: any type; the connection is closed, and what was unpacked stays.
// Errors: errc::not_found; errc::bad_request where `path` is no directory, or keep_types forbids it;
// errc::denied when the file system is read-only; the source's own; those of async_ping.
// Source: Docker Engine API, PutContainerArchive, since 1.20.
// Example: docs/guide/details.md.
template <class Token = default_token>
auto async_container_archive_put(const client& daemon, std::string id, std::string path,
                                 std::shared_ptr<byte_source> tar, container_put_options options,
                                 diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_container_archive_put, std::forward<Token>(token), &why, daemon, std::move(id),
                        std::move(path), std::move(tar), options);
}
template <class Token = default_token>
auto async_container_archive_put(const client& daemon, std::string id, std::string path,
                                 std::shared_ptr<byte_source> tar, container_put_options options,
                                 Token&& token = {}) {
  return initiate<void>(&start_container_archive_put, std::forward<Token>(token), nullptr, daemon,
                        std::move(id), std::move(path), std::move(tar), options);
}

}  // namespace dockline::engine
