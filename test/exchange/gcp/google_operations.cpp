// Rows of the table of operations: Google Cloud.

#include "dockline/gcp/build.hpp"
#include "dockline/gcp/client.hpp"
#include "dockline/gcp/cloud_build.hpp"
#include "dockline/gcp/credentials.hpp"
#include "dockline/gcp/storage.hpp"

#include "exchange/operation_table.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dockline::test {
namespace {

gcp::client make_google(const scene& on) {
  const std::string base = "http://127.0.0.1:" + std::to_string(on.on.web.port());
  const std::string user =
      R"({"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r",)"
      "\"token_uri\":\"" +
      base + "/token\"}";
  diagnostics why;
  auto who = gcp::parse_credentials(user, "user.json", gcp::environment(), why);
  if (!who) throw std::runtime_error(describe(who.error(), why));
  gcp::client_options options;
  options.storage_endpoint = base;
  options.cloud_build_endpoint = base;
  options.project = "project";
  return gcp::client(on.executor, std::move(*who), options);
}

const gcp::client& google_on(scene& on) {
  return on.own<gcp::client>([&on] { return make_google(on); });
}

void look_at_object(scene& on, completion_handler<void> handler) {
  gcp::async_find_object(
      google_on(on), "bucket", "probe",
      [handler = std::move(handler)](error_code code, const std::optional<gcp::stored_object>&) mutable {
        std::move(handler)(code);
      });
}

bool is_build(const gcp::build_record& build) {
  return build.id == "b1" && build.status == gcp::build_status::success;
}

gcp::source_factory sources(const scene& on) {
  return [source = on.source()] { return source; };
}

gcp::upload_options object() {
  gcp::upload_options options;
  options.bucket = "bucket";
  options.object = "new";
  return options;
}

gcp::build_request request() {
  gcp::build_request what;
  what.source_bucket = "bucket";
  what.source_object = "object";
  what.images = {"gcr.io/project/app:1"};
  return what;
}

gcp::cloud_build_options build() {
  gcp::cloud_build_options options;
  options.bucket = "bucket";
  // Looked for first; the beginning of an upload is not broken off for up to ten seconds.
  options.content_name = "new";
  options.request.images = {"gcr.io/project/app:1"};
  return options;
}

const in_table google_rows{
    {
        row(
            "gcp::async_access_token",
            [](scene& on, auto&&... rest) {
              return gcp::async_access_token(google_on(on), std::string(gcp::cloud_platform_scope),
                                             std::forward<decltype(rest)>(rest)...);
            },
            [](const gcp::access_token& token) { return token.value == "t"; }),
        row(
            "gcp::async_project_id",
            [](scene& on, auto&&... rest) {
              return gcp::async_project_id(google_on(on), std::forward<decltype(rest)>(rest)...);
            },
            [](const std::string& project) { return project == "project"; }),
        row(
            "gcp::async_upload",
            [](scene& on, auto&&... rest) {
              return gcp::async_upload(google_on(on), sources(on), object(), nullptr,
                                       std::forward<decltype(rest)>(rest)...);
            },
            [](const gcp::stored_object& object) { return object.size == 100 && !object.existed; }),
        row(
            "gcp::async_find_object",
            [](scene& on, auto&&... rest) {
              return gcp::async_find_object(google_on(on), "bucket", "object",
                                            std::forward<decltype(rest)>(rest)...);
            },
            [](const std::optional<gcp::stored_object>& object) { return object && object->size == 100; }),
        row(
            "gcp::async_find_bucket",
            [](scene& on, auto&&... rest) {
              return gcp::async_find_bucket(google_on(on), "bucket", std::forward<decltype(rest)>(rest)...);
            },
            [](const std::optional<gcp::stored_bucket>& bucket) { return bucket && bucket->own == true; }),
        row(
            "gcp::async_delete_object",
            [](scene& on, auto&&... rest) {
              return gcp::async_delete_object(google_on(on), "bucket", "object", "1",
                                              std::forward<decltype(rest)>(rest)...);
            },
            no_value),
        row(
            "gcp::async_create_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_create_build(google_on(on), gcp::build_place(), request(),
                                             std::forward<decltype(rest)>(rest)...);
            },
            is_build),
        row(
            "gcp::async_get_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_get_build(google_on(on), gcp::build_place(), "id",
                                          std::forward<decltype(rest)>(rest)...);
            },
            is_build),
        row(
            "gcp::async_cancel_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_cancel_build(google_on(on), gcp::build_place(), "id",
                                             std::forward<decltype(rest)>(rest)...);
            },
            is_build),
        row(
            "gcp::async_retry_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_retry_build(google_on(on), gcp::build_place(), "id",
                                            std::forward<decltype(rest)>(rest)...);
            },
            is_build),
        row(
            "gcp::async_list_builds",
            [](scene& on, auto&&... rest) {
              return gcp::async_list_builds(google_on(on), gcp::build_list_options(),
                                            std::forward<decltype(rest)>(rest)...);
            },
            [](const std::vector<gcp::build_record>& builds) {
              return builds.size() == 1 && is_build(builds[0]);
            }),
        row(
            "gcp::async_wait_for_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_wait_for_build(google_on(on), gcp::build_place(), "id", gcp::wait_options(),
                                               nullptr, std::forward<decltype(rest)>(rest)...);
            },
            is_build),
        row(
            "gcp::async_build",
            [](scene& on, auto&&... rest) {
              return gcp::async_build(google_on(on), sources(on), build(), nullptr,
                                      std::forward<decltype(rest)>(rest)...);
            },
            [](const gcp::cloud_image& image) { return image.images.size() == 1 && is_build(image.build); }),
    },
    &look_at_object};

}  // namespace
}  // namespace dockline::test
