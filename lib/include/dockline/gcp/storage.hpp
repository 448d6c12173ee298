#pragma once

// Cloud Storage, as far as a build needs it: objects that are sent and looked for, and the bucket for them.

#include "dockline/core/byte_source.hpp"
#include "dockline/gcp/client.hpp"
#include "dockline/progress/event.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::gcp {

// Makes the bytes from their start, as often as it is asked: an upload that broke for good begins anew.
using source_factory = std::function<std::shared_ptr<byte_source>()>;

// An object in a bucket.
struct stored_object {
  stored_object() = default;

  std::string bucket;      // its bucket
  std::string name;        // its name in there
  std::string generation;  // which one of that name: a number
  std::uint64_t size = 0;  // bytes
  std::string crc32c;      // base64 of the four bytes, as the service writes it; empty where it told none
  bool existed = false;    // it was there already: nothing was sent, or not by this operation
  bool bucket_created = false;   // by this operation
  std::uint64_t bytes_sent = 0;  // of content, those that were sent twice counted twice
};

// A bucket, as far as the one who asks may see it.
struct stored_bucket {
  stored_bucket() = default;

  std::string name;      // its name: "my-builds"
  std::string location;  // as the service writes it: "EU", "US-CENTRAL1"; empty where it may not be seen
  std::string project_number;  // of whose it is; empty where it may not be seen
  std::optional<bool> own;     // whether it is one of the client's project; empty where that may not be seen
  // What a build needs of it and the one who asks lacks, of storage.objects.create, .get and .delete. Empty
  // where it is not told, as with emulators.
  std::optional<std::vector<std::string>> missing_permissions;
};

// Where an upload goes, and how.
struct upload_options {
  upload_options() = default;

  // The bucket.
  std::string bucket;
  // The name in the bucket: "context/a.tar.gz".
  std::string object;
  // What the object is said to be.
  std::string content_type = "application/gzip";

  // An object of that name that is there already is left alone, and is what the operation returns: for names
  // that say what is in them.
  bool keep_existing = true;
  // Whether to look for it before anything is made or sent. With `keep_existing`.
  bool look_first = true;

  // Whether a bucket that is not there is created.
  bool create_bucket = true;
  // The project that a bucket is created in. Empty: the client's.
  std::string project;
  // Where it is created: "EU", "us-central1". Empty: where Google puts it.
  std::string bucket_location;
  // After how many days a bucket created here drops what is in it; 0: never.
  int bucket_lifetime_days = 30;

  // The memory for content: two pieces of this size, one on its way while the other is filled. A multiple of
  // 256 KiB. What fits into one piece is sent by a single request.
  std::size_t piece_size = std::size_t{8} << 20;
};

// Whether Google allows the name for a bucket; the reason why it does not, else empty.
DOCKLINE_API std::string wrong_bucket_name(const std::string& name);

DOCKLINE_API void start_upload(client google, source_factory source, upload_options options,
                               progress::event_sink on_event, diagnostics* why,
                               completion_handler<stored_object> handler);
DOCKLINE_API void start_find_object(client google, std::string bucket, std::string object, diagnostics* why,
                                    completion_handler<std::optional<stored_object>> handler);
DOCKLINE_API void start_find_bucket(client google, std::string bucket, diagnostics* why,
                                    completion_handler<std::optional<stored_bucket>> handler);
DOCKLINE_API void start_delete_object(client google, std::string bucket, std::string object,
                                      std::string generation, diagnostics* why,
                                      completion_handler<void> handler);

// Sends what `source` makes into an object. What fails for a moment is tried again from where the service has
// it; an upload that the service dropped begins anew with another source. The bucket is created when the
// service says that there is none; whose it is is asked only when its name turns out to be taken.
//
// Completion: when the service has all of it, and says the same CRC32C.
// Signature: void(error_code, stored_object).
// Lifetimes: `why` stays until completion, all else is kept by the operation. `on_event` may be empty; it is
// told context_progress, and the warnings of the source.
// Cancellation: any type; the service is told to drop what it has, which takes ten seconds at most. An upload of
// one piece may be there all the same, and a bucket that was created stays.
// Errors: errc::invalid_argument for names and numbers that cannot be, and for a factory that makes nothing;
// errc::denied, with the permission that is missing; errc::conflict for a bucket of somebody else, and with
// `keep_existing` for an object that is there with other content; the source's own; those of the service's
// status, and of the way there.
// Source: Cloud Storage JSON API v1, objects.insert (resumable and multipart), buckets.insert.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_upload(const client& google, source_factory source, upload_options options,
                  progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<stored_object>(&start_upload, std::forward<Token>(token), &why, google, std::move(source),
                                 std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_upload(const client& google, source_factory source, upload_options options,
                  progress::event_sink on_event, Token&& token = {}) {
  return initiate<stored_object>(&start_upload, std::forward<Token>(token), nullptr, google,
                                 std::move(source), std::move(options), std::move(on_event));
}

// Looks for an object: nothing when it, or its bucket, is not there.
//
// Completion: when that is known.
// Signature: void(error_code, std::optional<stored_object>).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once.
// Errors: errc::denied with the permission that is missing; those of the service's status and of the way
// there.
// Source: Cloud Storage JSON API v1, objects.get.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_find_object(const client& google, std::string bucket, std::string object, diagnostics& why,
                       Token&& token = {}) {
  return initiate<std::optional<stored_object>>(&start_find_object, std::forward<Token>(token), &why, google,
                                                std::move(bucket), std::move(object));
}
template <class Token = default_token>
auto async_find_object(const client& google, std::string bucket, std::string object, Token&& token = {}) {
  return initiate<std::optional<stored_object>>(&start_find_object, std::forward<Token>(token), nullptr,
                                                google, std::move(bucket), std::move(object));
}

// Looks for a bucket, and what may be done with it: nothing when it is not there. No operation needs this to be
// asked before; it is for people who want to know. Whose the bucket is, and where, is told to those alone who
// have the permissions storage.buckets.get and .list.
//
// Completion: when that is known.
// Signature: void(error_code, std::optional<stored_bucket>).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once.
// Errors: errc::invalid_argument for a name that no bucket has; those of the service's status and of the way
// there.
// Source: Cloud Storage JSON API v1, buckets.get, buckets.testIamPermissions and buckets.list.
// Example: tools/doctor_google.cpp.
template <class Token = default_token>
auto async_find_bucket(const client& google, std::string bucket, diagnostics& why, Token&& token = {}) {
  return initiate<std::optional<stored_bucket>>(&start_find_bucket, std::forward<Token>(token), &why, google,
                                                std::move(bucket));
}
template <class Token = default_token>
auto async_find_bucket(const client& google, std::string bucket, Token&& token = {}) {
  return initiate<std::optional<stored_bucket>>(&start_find_bucket, std::forward<Token>(token), nullptr,
                                                google, std::move(bucket));
}

// Removes an object; of a generation, if one is named. One that is not there is as good as removed.
//
// Completion: when it is gone.
// Signature: void(error_code).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type; it may have been removed all the same.
// Errors: those of async_find_object.
// Source: Cloud Storage JSON API v1, objects.delete.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_delete_object(const client& google, std::string bucket, std::string object, std::string generation,
                         diagnostics& why, Token&& token = {}) {
  return initiate<void>(&start_delete_object, std::forward<Token>(token), &why, google, std::move(bucket),
                        std::move(object), std::move(generation));
}
template <class Token = default_token>
auto async_delete_object(const client& google, std::string bucket, std::string object, std::string generation,
                         Token&& token = {}) {
  return initiate<void>(&start_delete_object, std::forward<Token>(token), nullptr, google, std::move(bucket),
                        std::move(object), std::move(generation));
}

}  // namespace dockline::gcp
