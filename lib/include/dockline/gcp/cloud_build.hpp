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
  std::string region = "global";
};

// An image, from a context that is in a bucket.
struct build_request {
  build_request() = default;

  // The context: a .tar.gz.
  std::string source_bucket;
  std::string source_object;
  std::string source_generation;  // empty: the newest one

  // The references that the image gets and is pushed under; at least one.
  std::vector<std::string> images;
  // Images whose layers may serve as cache. They are pulled first, as far as they can be.
  std::vector<std::string> cache_from;
  std::string dockerfile;  // in the context; empty: Dockerfile
  std::map<std::string, std::optional<std::string>> build_args;
  std::map<std::string, std::string> labels;
  std::string target;
  std::string platform;
  // Of the containers of RUN. "cloudbuild" is where the build's own credentials can be had.
  std::string network = "cloudbuild";
  std::vector<std::string> extra_hosts;
  bool no_cache = false;
  bool pull = false;
  bool buildkit = true;
  // The image with the docker command that builds.
  std::string builder_image = "gcr.io/cloud-builders/docker";

  // Where it runs. A private pool ("projects/P/locations/R/workerPools/W") has machines of its own.
  std::string machine_type = "E2_HIGHCPU_8";
  int disk_gb = 0;  // 0: as Cloud Build likes
  std::string private_pool;
  std::string service_account;  // an email address, or "projects/P/serviceAccounts/EMAIL"; empty: the default
  // Where the log goes, "gs://BUCKET" or "gs://BUCKET/FOLDER". Empty: the source's bucket; the log of Cloud
  // Build's own can be read by few.
  std::string logs_bucket;

  std::chrono::seconds timeout{3600};    // from its start
  std::chrono::seconds queue_ttl{3600};  // from its creation to its start
  std::vector<std::string> tags;
  std::map<std::string, std::string> substitutions;
};

enum class build_status {
  unknown,
  pending,
  queued,
  working,
  success,
  failure,
  internal_error,
  timeout,
  cancelled,
  expired,
};

// Whether a build with this status is over.
DOCKLINE_API bool is_final(build_status status) noexcept;
// As Cloud Build writes it: "INTERNAL_ERROR".
DOCKLINE_API const char* to_string(build_status status) noexcept;

struct pushed_image {
  pushed_image() = default;

  std::string name;
  std::string digest;  // "sha256:" and 64 digits
};

// How a build is, as Cloud Build tells it. Whatever it did not tell is empty.
struct build_record {
  build_record() = default;

  std::string id;
  std::string project;
  std::string region;
  build_status status = build_status::unknown;
  std::string status_text;    // as it was written; also where it is not known here
  std::string status_detail;  // in words
  std::string log_url;        // for people
  std::string logs_bucket;    // "gs://…"
  std::string create_time;    // RFC 3339, as it was written
  std::string start_time;
  std::string finish_time;
  std::string failure_type;    // "USER_BUILD_STEP", "PUSH_FAILED"
  std::string failure_detail;  // in words
  std::vector<std::string> warnings;
  std::vector<pushed_image> images;  // once they are pushed
  std::vector<std::string> tags;
  std::vector<std::string> step_names;     // the images that the steps run, in order
  std::vector<std::string> step_statuses;  // filled when it is over
  std::optional<int> exit_code;            // of the step that failed, where it was told
  std::string raw;                         // the answer as it came: JSON
};

struct build_list_options {
  build_list_options() = default;

  build_place where;
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
  std::chrono::milliseconds longest_pause{10'000};
  // How long to wait; zero: until it is over.
  std::chrono::milliseconds longest_wait{0};
  // What becomes of the build when that has passed, and when the wait is cancelled.
  bool cancel_when_late = true;
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
// Completion: when the service has it. Signature: void(error_code, build_record). Lifetimes: `why` stays
// until completion, all else is kept by the operation. Cancellation: any type; whether there is a build then
// is not known. Errors: errc::invalid_argument for what is found wrong here; errc::bad_request with Google's
// words; errc::denied with the permission that is missing; those of the service's status and of the way
// there. Source: Cloud Build API v1, projects.locations.builds.create.
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

// Asks how a build is. Completion: when the answer is there. Signature: void(error_code, build_record).
// Lifetimes, cancellation: as above. Errors: errc::not_found; those of the service's status and of the way
// there. Source: Cloud Build API v1, projects.locations.builds.get.
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

// Stops a build. One that is over already stays as it is. Completion, signature, errors: as async_get_build.
// Source: Cloud Build API v1, projects.locations.builds.cancel.
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

// Starts a new build like one that is over. Completion, signature, errors: as async_get_build; not repeated
// when its answer is lost. Source: Cloud Build API v1, projects.locations.builds.retry.
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

// The builds of a project, the newest first. Completion: when all pages are there. Signature:
// void(error_code, std::vector<build_record>). Errors: as async_get_build.
// Source: Cloud Build API v1, projects.locations.builds.list.
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
// Completion: when the build is over and its log was read to the end. Signature: void(error_code,
// build_record). Lifetimes: as above; `on_event` may be empty. Cancellation: any type; the build is
// cancelled, unless the options say otherwise, for which at most ten seconds are taken. Errors:
// errc::build_failed with diagnostics::step() where the log tells it, also for a build that was cancelled,
// timed out or expired; errc::service_failed when Cloud Build itself failed; errc::timed_out when the
// options' time has passed. The words have the build's URL. Those of async_get_build.
template <class Token = default_token>
auto async_wait_for_build(const client& google, build_place where, std::string id, wait_options options,
                          progress::event_sink on_event, diagnostics& why, Token&& token = {}) {
  return initiate<build_record>(&start_wait_for_build, std::forward<Token>(token), &why, google,
                                std::move(where), std::move(id), std::move(options), std::move(on_event));
}
template <class Token = default_token>
auto async_wait_for_build(const client& google, build_place where, std::string id, wait_options options,
                          progress::event_sink on_event, Token&& token = {}) {
  return initiate<build_record>(&start_wait_for_build, std::forward<Token>(token), nullptr, google,
                                std::move(where), std::move(id), std::move(options), std::move(on_event));
}

}  // namespace dockline::gcp
