#include "gcp/buckets.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/google_error.hpp"
#include "gcp/storage_requests.hpp"

#include <string_view>
#include <utility>

namespace dockline::gcp {
namespace {

// One has buckets of no project, but wants the parameter.
constexpr std::string_view project_of_emulator = "emulator";

// Whether a question was not answered at all: another one may be, with "that may not be seen" for one. What the system or
// Asio says is no answer.
bool left_open(const error_code& code) { return code.category() != error_category() || is_transient(code); }

}  // namespace

task<bucket_outcome> create_bucket(std::shared_ptr<client_state> state, const upload_options& options,
                                   diagnostics& why) {
  std::string project = options.project;
  if (project.empty()) {
    auto known = co_await state->project(why);
    if (!known && known.error() == errc::invalid_argument && state->options.anonymous_storage) {
      why.clear();
      known = std::string(project_of_emulator);
    }
    if (!known) {
      if (known.error() == errc::invalid_argument)
        why.set_client_message("there is no bucket gs://" + options.bucket +
                               ", and to create it: " + why.client_message());
      co_return known.error();
    }
    project = *known;
  }
  api_call insert = insert_bucket(state->storage_url(), options, project);
  insert.anonymous = state->options.anonymous_storage;
  insert.permission = "storage.buckets.create in the project " + project + " (roles/storage.admin)";
  auto created = co_await state->call(std::move(insert), why);
  if (created) co_return bucket_outcome::created;
  if (created.error() != errc::conflict) {
    if (created.error() == errc::denied)
      why.set_client_message("there is no bucket gs://" + options.bucket +
                             ", and it may not be created: " + why.client_message());
    co_return created.error();
  }
  // Another run may have been first; or somebody took the name to be sent what is meant for us.
  api_call list = list_buckets(state->storage_url(), project, options.bucket);
  list.anonymous = state->options.anonymous_storage;
  list.permission = "storage.buckets.list in the project " + project + " (roles/storage.admin)";
  auto listed = co_await state->call(std::move(list), why);
  if (!listed) co_return listed.error();
  if (has_bucket(listed->body, options.bucket)) {
    why.clear();
    co_return bucket_outcome::was_there;
  }
  why.clear();
  why.set_client_message("the bucket gs://" + options.bucket + " is not one of the project " + project +
                         "; choose another name");
  co_return errc::conflict;
}

task<std::optional<stored_bucket>> find_bucket(std::shared_ptr<client_state> state, std::string bucket,
                                               diagnostics& why) {
  if (const std::string wrong = wrong_bucket_name(bucket); !wrong.empty()) {
    why.set_client_message("bucket \"" + bucket + "\": the name " + wrong);
    co_return errc::invalid_argument;
  }
  const auto ask = [&state](api_call call, diagnostics& words) {
    call.anonymous = state->options.anonymous_storage;
    return state->call(std::move(call), words);
  };
  stored_bucket found;
  auto seen = co_await ask(get_bucket(state->storage_url(), bucket), why);
  if (seen) {
    found = read_bucket(seen->body);
  } else if (seen.error() == errc::not_found) {
    why.clear();
    co_return std::optional<stored_bucket>();
  } else if (seen.error() != errc::denied) {
    co_return seen.error();
  }
  found.name = bucket;
  // Who may not look at a bucket may be allowed to write there all the same; this asks for no permission.
  diagnostics words;
  auto tested = co_await ask(test_permissions(state->storage_url(), bucket, permissions_for_builds()), words);
  if (tested) {
    found.missing_permissions = missing_in(tested->body, permissions_for_builds());
  } else if (left_open(tested.error())) {
    why = words;
    co_return tested.error();
  } else if (!seen) {
    // Nothing is known of it then.
    if (tested.error() != errc::not_found) {
      why = words;
      co_return tested.error();
    }
    why.clear();
    co_return std::optional<stored_bucket>();
  }
  why.clear();
  auto project = co_await state->project(words);
  if (!project) {
    if (left_open(project.error())) {
      why = words;
      co_return project.error();
    }
    co_return std::optional<stored_bucket>(std::move(found));
  }
  auto listed = co_await ask(list_buckets(state->storage_url(), *project, bucket), words);
  if (listed) {
    found.own = has_bucket(listed->body, bucket);
  } else if (left_open(listed.error())) {
    why = words;
    co_return listed.error();
  }
  co_return std::optional<stored_bucket>(std::move(found));
}

void start_find_bucket(client google, std::string bucket, diagnostics* why,
                       completion_handler<std::optional<stored_bucket>> handler) {
  auto state = google.state();
  spawn<std::optional<stored_bucket>>(
      state->strand, why, std::move(handler),
      [state, bucket = std::move(bucket)](diagnostics& words) { return find_bucket(state, bucket, words); });
}

}  // namespace dockline::gcp
