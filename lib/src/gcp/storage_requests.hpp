#pragma once

// The requests of Cloud Storage's JSON API, and what is read from their answers, without I/O.

#include "dockline/gcp/storage.hpp"

#include "gcp/api.hpp"
#include "gcp/resumable_upload.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::gcp {

// `base` is the service's URL without a slash at its end. Names are escaped whole, '/' included.
api_call open_upload_session(std::string_view base, const upload_options& options);
// All of it in one request: a part with what the object is, and one with its content, which is `bytes`.
api_call upload_whole(std::string_view base, const upload_options& options, std::string_view crc32c,
                      std::vector<http::body_part> bytes, std::string boundary);
// A step in a session; `bytes` may be empty.
api_call continue_upload(const resumable_upload& upload, std::vector<http::body_part> bytes);
api_call drop_upload_session(std::string_view session);

api_call get_object(std::string_view base, std::string_view bucket, std::string_view object);
api_call delete_object(std::string_view base, std::string_view bucket, std::string_view object,
                       std::string_view generation);
// The content from a position on.
api_call read_object(std::string_view base, std::string_view bucket, std::string_view object,
                     std::uint64_t from);

api_call insert_bucket(std::string_view base, const upload_options& options, std::string_view project);
// The buckets of a project whose names begin so.
api_call list_buckets(std::string_view base, std::string_view project, std::string_view prefix);
bool has_bucket(std::string_view answer, std::string_view bucket);
api_call get_bucket(std::string_view base, std::string_view bucket);
// Its name, location and project's number.
stored_bucket read_bucket(std::string_view answer);
// What a build needs of a bucket.
std::vector<std::string> permissions_for_builds();
// Which of these the one who asks has.
api_call test_permissions(std::string_view base, std::string_view bucket,
                          const std::vector<std::string>& permissions);
// Those of `wanted` that are not in the answer.
std::vector<std::string> missing_in(std::string_view answer, const std::vector<std::string>& wanted);

object_facts read_object_facts(std::string_view answer);
upload_answer read_upload_answer(const api_answer& answer);
// Where the bytes of a 206 begin, by its Content-Range "bytes 5-9/10"; nothing when that is not told.
std::optional<std::uint64_t> read_first_byte(std::string_view range);

}  // namespace dockline::gcp
