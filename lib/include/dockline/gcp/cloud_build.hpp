#pragma once

// Cloud Build: what is built there, and what is asked of it.

#include "dockline/gcp/client.hpp"
#include "dockline/progress/event.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dockline::gcp {

// Where a build is, or is to be.
struct build_place {
  build_place() = default;

  std::string project;  // empty: the client's
  // "europe-west1"; "global" is nowhere in particular. Empty: that of the request's private pool, else "global".
  std::string region;
};

// An image, from a context that is in a bucket.
struct build_request {
  build_request() = default;

  // The context: a .tar.gz.
  std::string source_bucket;
  // Its name in the bucket.
  std::string source_object;
  std::string source_generation;  // empty: the newest one

  // The references that the image gets and is pushed under; at least one.
  std::vector<std::string> images;
  // Images whose layers may serve as cache. They are pulled first, as far as they can be.
  std::vector<std::string> cache_from;
  std::string dockerfile;  // in the context; empty: Dockerfile
  // Values of ARG; an empty one means "without a value".
  std::map<std::string, std::optional<std::string>> build_args;
  // Metadata of the image, as LABEL sets it.
  std::map<std::string, std::string> labels;
  // The stage to stop at. Empty: the last one.
  std::string target;
  std::string platform;  // "linux/amd64"; empty: the builder's own.
  // Of the containers of RUN: "default", "none" or "host". The classic builder also knows those of its machine,
  // and has "cloudbuild", where the build's own credentials can be had, where this is empty.
  std::string network;
  // Names that the containers of RUN know: "name:address".
  std::vector<std::string> extra_hosts;
  // Run every step, whatever the cache has.
  bool no_cache = false;
  // Look for newer base images.
  bool pull = false;
  // Whether BuildKit builds; else the classic builder.
  bool buildkit = true;
  // Further words for `docker build`, before the context.
  std::vector<std::string> docker_arguments;
  // The image with the docker command that builds.
  std::string builder_image = "gcr.io/cloud-builders/docker";

  // The machine, one of Cloud Build's own: "E2_MEDIUM". Empty: E2_HIGHCPU_8. Not with a private pool, whose
  // machines are its own.
  std::string machine_type;
  int disk_gb = 0;  // 0: as Cloud Build likes
  // The private pool that it runs in, "projects/P/locations/R/workerPools/W"; builds there are in its region.
  // Empty: none.
  std::string private_pool;
  std::string service_account;  // an email address, or "projects/P/serviceAccounts/EMAIL"; empty: the default
  // Where the log goes, "gs://BUCKET" or "gs://BUCKET/FOLDER". Empty: the source's bucket; the log of Cloud
  // Build's own can be read by few.
  std::string logs_bucket;

  std::chrono::seconds timeout{3600};    // from its start
  std::chrono::seconds queue_ttl{3600};  // from its creation to its start
  // Of the build, to find it by; not of the image.
  std::vector<std::string> tags;
  // Values that Cloud Build puts in for "$NAME" where it is asked to.
  std::map<std::string, std::string> substitutions;
};

// How far a build is; the last six are ends.
enum class build_status {
  unknown,         // the service told another one, which is in build_record::status_text
  pending,         // it waits for a place
  queued,          // it has one, and waits for its start
  working,         // it runs
  success,         // its images are pushed
  failure,         // a step failed
  internal_error,  // the service failed
  timeout,         // it ran for longer than it may
  cancelled,       // somebody stopped it
  expired,         // it was not started in time
};

// Whether a build with this status is over.
DOCKLINE_API bool is_final(build_status status) noexcept;
// As Cloud Build writes it: "INTERNAL_ERROR".
DOCKLINE_API const char* to_string(build_status status) noexcept;

// An image that Cloud Build has pushed.
struct pushed_image {
  pushed_image() = default;

  std::string name;    // the reference: "gcr.io/project/app:1"
  std::string digest;  // "sha256:" and 64 digits
};

// How a build is, as Cloud Build tells it. Whatever it did not tell is empty.
struct build_record {
  build_record() = default;

  std::string id;                               // of the build: a UUID
  std::string project;                          // as the service writes it: projectId
  std::string region;                           // "global", "europe-west1"
  build_status status = build_status::unknown;  // how far it is
  std::string status_text;                      // as it was written; also where it is not known here
  std::string status_detail;                    // in words
  std::string log_url;                          // for people
  std::string logs_bucket;                      // "gs://…"
  std::string create_time;                      // RFC 3339, as it was written
  std::string start_time;                       // RFC 3339; empty: not started
  std::string finish_time;                      // RFC 3339; empty: not over
  std::string failure_type;                     // "USER_BUILD_STEP", "PUSH_FAILED"
  std::string failure_detail;                   // in words
  std::vector<std::string> warnings;            // in the service's words
  std::vector<pushed_image> images;             // once they are pushed
  std::vector<std::string> tags;                // those of the request, and one that makes it unique
  std::vector<std::string> step_names;          // of each step its id, else the image that it runs
  std::vector<std::string> step_statuses;       // filled when it is over
  std::optional<int> exit_code;                 // of the step that failed, where it was told
  std::string raw;                              // the answer as it came: JSON
};

// Which builds are listed.
struct build_list_options {
  build_list_options() = default;

  build_place where;   // whose builds
  std::string filter;  // as the API has it: `tags="a" AND status="WORKING"`
  int most = 100;      // the newest ones
};

// How a build is waited for.
struct wait_options {
  wait_options() = default;

  // Whether its log is read while it runs and told as events.
  bool follow_log = true;
  // The pause between two looks: at first, and at most, since it grows.
  std::chrono::milliseconds first_pause{1'000};
  // What the pause grows to.
  std::chrono::milliseconds longest_pause{10'000};
  // How long to wait, also for an answer that does not come; zero: until it is over.
  std::chrono::milliseconds longest_wait{0};
  // Whether the build is stopped when `longest_wait` has passed; else it goes on.
  bool cancel_when_late = true;
  // Whether it is stopped when the wait is cancelled.
  bool cancel_when_cancelled = true;
};

DOCKLINE_API void start_create_build(client google, build_place where, build_request what, diagnostics* why,
                                     completion_handler<build_record> handler);
DOCKLINE_API void start_get_build(client google, build_place where, std::string id, diagnostics* why,
                                  completion_handler<build_record> handler);
DOCKLINE_API void start_cancel_build(client google, build_place where, std::string id, diagnostics* why,
                                     completion_handler<build_record> handler);
DOCKLINE_API void start_retry_build(client google, build_place where, std::string id, diagnostics* why,
                                    completion_handler<build_record> handler);
DOCKLINE_API void start_list_builds(client google, build_list_options options, diagnostics* why,
                                    completion_handler<std::vector<build_record>> handler);
DOCKLINE_API void start_wait_for_build(client google, build_place where, std::string id, wait_options options,
                                       progress::event_sink on_event, diagnostics* why,
                                       completion_handler<build_record> handler);

// Starts a build. It is never started twice: when the answer is lost, or the service says that it is busy,
// the build is looked for by a tag that no other one has, and created again only when it is not there.
//
// Completion: when the service has it.
// Signature: void(error_code, build_record).
// Lifetimes: `why` stays until completion, all else is kept by the operation.
// Cancellation: any type; a build that came of it all the same is looked for and cancelled, for which at most
// fifteen seconds are taken. Whether there is one then is not known.
// Errors: errc::invalid_argument for what is found wrong here; errc::bad_request with Google's words;
// errc::denied with the permission that is missing; those of the service's status and of the way there.
// Source: Cloud Build API v1, projects.locations.builds.create.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_create_build(const client& google, build_place where, build_request what, diagnostics& why,
                        Token&& token = {}) {
  return initiate<build_record>(&start_create_build, std::forward<Token>(token), &why, google,
                                std::move(where), std::move(what));
}
template <class Token = default_token>
auto async_create_build(const client& google, build_place where, build_request what, Token&& token = {}) {
  return initiate<build_record>(&start_create_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(what));
}

// Asks how a build is.
//
// Completion: when the answer is there.
// Signature: void(error_code, build_record).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once.
// Errors: errc::not_found; those of the service's status and of the way there.
// Source: Cloud Build API v1, projects.locations.builds.get.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_get_build(const client& google, build_place where, std::string id, diagnostics& why,
                     Token&& token = {}) {
  return initiate<build_record>(&start_get_build, std::forward<Token>(token), &why, google, std::move(where),
                                std::move(id));
}
template <class Token = default_token>
auto async_get_build(const client& google, build_place where, std::string id, Token&& token = {}) {
  return initiate<build_record>(&start_get_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(id));
}

// Stops a build. One that is over already stays as it is.
//
// Completion: when the service has taken note.
// Signature: void(error_code, build_record).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type; the build may have been stopped all the same.
// Errors: those of async_get_build.
// Source: Cloud Build API v1, projects.locations.builds.cancel.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_cancel_build(const client& google, build_place where, std::string id, diagnostics& why,
                        Token&& token = {}) {
  return initiate<build_record>(&start_cancel_build, std::forward<Token>(token), &why, google,
                                std::move(where), std::move(id));
}
template <class Token = default_token>
auto async_cancel_build(const client& google, build_place where, std::string id, Token&& token = {}) {
  return initiate<build_record>(&start_cancel_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(id));
}

// Starts a new build like one that is over. The request is not repeated when its answer is lost.
//
// Completion: when the service has it.
// Signature: void(error_code, build_record).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type; whether there is a build then is not known.
// Errors: those of async_get_build.
// Source: Cloud Build API v1, projects.locations.builds.retry.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_retry_build(const client& google, build_place where, std::string id, diagnostics& why,
                       Token&& token = {}) {
  return initiate<build_record>(&start_retry_build, std::forward<Token>(token), &why, google,
                                std::move(where), std::move(id));
}
template <class Token = default_token>
auto async_retry_build(const client& google, build_place where, std::string id, Token&& token = {}) {
  return initiate<build_record>(&start_retry_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(id));
}

// Lists the builds of a project in one region ("global" where none is named), the newest first, as many as `most`
// says.
//
// Completion: when all pages are there.
// Signature: void(error_code, std::vector<build_record>).
// Lifetimes: `why` stays until completion; the client is shared.
// Cancellation: any type, at once.
// Errors: those of async_get_build.
// Source: Cloud Build API v1, projects.locations.builds.list.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_list_builds(const client& google, build_list_options options, diagnostics& why,
                       Token&& token = {}) {
  return initiate<std::vector<build_record>>(&start_list_builds, std::forward<Token>(token), &why, google,
                                             std::move(options));
}
template <class Token = default_token>
auto async_list_builds(const client& google, build_list_options options, Token&& token = {}) {
  return initiate<std::vector<build_record>>(&start_list_builds, std::forward<Token>(token), nullptr, google,
                                             std::move(options));
}

// Waits until a build is over, and tells what its log says as events, step by step, while it runs. A log that
// cannot be read is a warning and does not end the wait.
//
// Completion: when the build is over and its log was read to the end.
// Signature: void(error_code, build_record).
// Lifetimes: `why` stays until completion, all else is kept by the operation. `on_event` may be empty.
// Cancellation: any type; the build is cancelled, unless the options say otherwise, for which at most ten
// seconds are taken.
// Errors: errc::build_failed with diagnostics::step() where the log tells it, also for a build that was
// cancelled, timed out or expired; errc::service_failed when Cloud Build itself failed; errc::timed_out when
// the options' time has passed. The words have the build's URL. Those of async_get_build, after which the build
// goes on.
// Source: Cloud Build API v1, projects.locations.builds.get; the log's object in Cloud Storage, objects.get.
// Example: docs/guide/cloud.md.
template <class Token = default_token>
auto async_wait_for_build(const client& google, build_place where, std::string id, wait_options options,
                          progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<build_record>(&start_wait_for_build, std::forward<Token>(token), &why, google,
                                std::move(where), std::move(id), options, std::move(on_event));
}
template <class Token = default_token>
auto async_wait_for_build(const client& google, build_place where, std::string id, wait_options options,
                          progress::event_sink on_event, Token&& token = {}) {
  return initiate<build_record>(&start_wait_for_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(id), options, std::move(on_event));
}

}  // namespace dockline::gcp
