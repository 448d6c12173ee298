#include "dockline/gcp/storage.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/storage_calls.hpp"
#include "gcp/storage_requests.hpp"

#include <utility>

namespace dockline::gcp {

task<std::optional<stored_object>> find_object(std::shared_ptr<client_state> state, std::string bucket,
                                               std::string object, diagnostics& why) {
  api_call call = get_object(state->storage_url(), bucket, object);
  call.anonymous = state->options.anonymous_storage;
  call.permission = "storage.objects.get on gs://" + bucket + " (roles/storage.objectViewer)";
  auto answer = co_await state->call(std::move(call), why);
  if (!answer) {
    if (answer.error() != errc::not_found) co_return answer.error();
    why.clear();
    co_return std::optional<stored_object>();
  }
  const object_facts facts = read_object_facts(answer->body);
  stored_object found;
  found.bucket = std::move(bucket);
  found.name = std::move(object);
  found.generation = facts.generation;
  found.size = facts.size.value_or(0);
  found.crc32c = facts.crc32c;
  found.existed = true;
  co_return std::optional<stored_object>(std::move(found));
}

task<void> delete_stored(std::shared_ptr<client_state> state, std::string bucket, std::string object,
                         std::string generation, diagnostics& why) {
  api_call call = delete_object(state->storage_url(), bucket, object, generation);
  call.anonymous = state->options.anonymous_storage;
  call.permission = "storage.objects.delete on gs://" + bucket + " (roles/storage.objectUser)";
  auto answer = co_await state->call(std::move(call), why);
  if (!answer && answer.error() != errc::not_found) co_return answer.error();
  why.clear();
  co_return result<void>();
}

void start_find_object(client google, std::string bucket, std::string object, diagnostics* why,
                       completion_handler<std::optional<stored_object>> handler) {
  auto state = google.state();
  spawn<std::optional<stored_object>>(
      state->strand, why, std::move(handler),
      [state, bucket = std::move(bucket), object = std::move(object)](diagnostics& words) {
        return find_object(state, bucket, object, words);
      });
}

void start_delete_object(client google, std::string bucket, std::string object, std::string generation,
                         diagnostics* why, completion_handler<void> handler) {
  auto state = google.state();
  spawn<void>(
      state->strand, why, std::move(handler),
      [state, bucket = std::move(bucket), object = std::move(object), generation = std::move(generation)](
          diagnostics& words) { return delete_stored(state, bucket, object, generation, words); });
}

}  // namespace dockline::gcp
