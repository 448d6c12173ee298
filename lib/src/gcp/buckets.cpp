#include "gcp/buckets.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/storage_requests.hpp"

#include <utility>

namespace dockline::gcp {

task<bucket_outcome> create_bucket(std::shared_ptr<client_state> state, const upload_options& options,
                                   diagnostics& why) {
  std::string project = options.project;
  if (project.empty()) {
    auto known = co_await state->project(why);
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

}  // namespace dockline::gcp
