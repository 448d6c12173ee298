#pragma once

// The requests of Cloud Build's API, and what is read from their answers, without I/O.

#include "dockline/gcp/cloud_build.hpp"

#include "core/json.hpp"
#include "gcp/api.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dockline::gcp {

// The region of a private pool, "projects/P/locations/REGION/workerPools/NAME"; empty for what is not written so.
std::string region_of_pool(std::string_view pool);

// Whether what is found wrong here is right. Errors: errc::invalid_argument, errc::invalid_reference.
result<void> check(const build_place& where, const build_request& what, diagnostics& why);

// The build, as the API wants it. `unique_tag` is among its tags.
std::string write_build(const build_place& where, const build_request& what, std::string_view unique_tag);

// `base` is the service's URL without a slash at its end; `where` names the project.
api_call create_build(std::string_view base, const build_place& where, const build_request& what,
                      std::string_view unique_tag);
api_call get_build(std::string_view base, const build_place& where, std::string_view id);
api_call cancel_build(std::string_view base, const build_place& where, std::string_view id);
api_call retry_build(std::string_view base, const build_place& where, std::string_view id);
api_call list_builds(std::string_view base, const build_place& where, std::string_view filter, int page_size,
                     std::string_view page_token);

// The filter that finds the build with a tag.
std::string filter_of_tag(std::string_view tag);

// A build as it was told. Errors: errc::unexpected_answer for what has no id.
result<build_record> read_build(json::value build, diagnostics& why);
result<build_record> read_build(std::string_view answer, diagnostics& why);
// The build in the operation that a create or a retry is answered with.
result<build_record> read_operation(std::string_view answer, diagnostics& why);

struct build_page {
  build_page() = default;

  std::vector<build_record> builds;
  std::string next;  // the token of the next page; empty: there is none
};
result<build_page> read_build_page(std::string_view answer, diagnostics& why);

// Where a build's log is: its bucket and object. Empty when it has none there.
struct log_place {
  log_place() = default;

  std::string bucket;
  std::string object;
};
log_place log_of(const build_record& build);

// Which of the steps is the one that builds.
int docker_step_of(const build_record& build);

}  // namespace dockline::gcp
