#include "dockline/gcp/build.hpp"

#include "dockline/core/diagnostics.hpp"

#include "gcp/cloud_build_calls.hpp"
#include "gcp/cloud_build_requests.hpp"
#include "gcp/random_name.hpp"
#include "gcp/storage_calls.hpp"
#include "gcp/storage_requests.hpp"

#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// How long it takes to remove what was put into the bucket, however the build ended.
constexpr auto farewell = 10s;

// Where the events of one build go, and what is kept of them.
struct cloud_news {
  progress::event_sink listener;
  std::vector<std::string> warnings;

  void tell(const progress::event& what) {
    if (const auto* warned = std::get_if<progress::warning>(&what.body)) warnings.push_back(warned->text);
    if (listener) listener(what);
  }
};

upload_options upload_of(const cloud_build_options& options, const build_place& where) {
  upload_options upload;
  upload.bucket = options.bucket;
  upload.bucket_location = options.bucket_location;
  if (upload.bucket_location.empty() && where.region != "global") upload.bucket_location = where.region;
  upload.create_bucket = options.create_bucket;
  upload.project = where.project;
  upload.piece_size = options.piece_size;
  upload.object = options.content_name;
  if (upload.object.empty()) {
    upload.object = random_name("dockline/") + ".tar.gz";
    upload.look_first = false;
  }
  return upload;
}

// Also for an operation that is cancelled, which takes a little longer for it.
asio::awaitable<void> remove_upload(std::shared_ptr<client_state> state, stored_object object) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  api_call call = delete_object(state->storage_url(), object.bucket, object.name, object.generation);
  call.anonymous = state->options.anonymous_storage;
  call.total = farewell;
  diagnostics ignored;
  auto removed = co_await state->send_as(std::move(call), ignored);
  (void)removed;
}

task<cloud_image> build_from(std::shared_ptr<client_state> state, build_place where, stored_object source,
                             cloud_build_options options, std::shared_ptr<cloud_news> news, bool& goes_on,
                             diagnostics& why) {
  build_request request = std::move(options.request);
  request.source_bucket = source.bucket;
  request.source_object = source.name;
  request.source_generation = source.generation;
  auto created = co_await create_and_find(state, where, std::move(request), why);
  if (!created) co_return created.error();
  cloud_image image;
  image.source = std::move(source);
  image.build = std::move(*created);
  if (options.detach) {
    goes_on = true;
    co_return image;
  }
  progress::event_sink sink = [news](const progress::event& what) { news->tell(what); };
  auto ended = co_await wait_for(state, where, image.build.id, options.wait, std::move(sink), goes_on, why);
  if (!ended) co_return ended.error();
  image.build = std::move(*ended);
  image.images = image.build.images;
  co_return image;
}

task<cloud_image> build(std::shared_ptr<client_state> state, source_factory source,
                        cloud_build_options options, progress::event_sink on_event, diagnostics& why) {
  auto news = std::make_shared<cloud_news>();
  news->listener = std::move(on_event);
  auto where = co_await settle(state, options.where, options.request, why);
  if (!where) co_return where.error();
  // Before anything is sent.
  if (auto checked = check(*where, options.request, why); !checked) co_return checked.error();
  const bool own = options.content_name.empty();
  progress::event_sink sink = [news](const progress::event& what) { news->tell(what); };
  const upload_options to = upload_of(options, *where);
  stored_object target;
  target.bucket = to.bucket;
  target.name = to.object;
  auto uploaded = co_await upload(state, std::move(source), to, std::move(sink), why);
  if (!uploaded) {
    // What was cancelled at its end may be there.
    if (own && uploaded.error() == condition::cancelled) co_await remove_upload(state, target);
    co_return uploaded.error();
  }
  const stored_object kept = *uploaded;
  bool goes_on = false;
  auto image =
      co_await build_from(state, *where, std::move(*uploaded), std::move(options), news, goes_on, why);
  // One that goes on may still have to fetch it.
  if (own && !goes_on) co_await remove_upload(state, kept);
  if (image) image->warnings = news->warnings;
  co_return image;
}

}  // namespace

void start_cloud_build(client google, source_factory source, cloud_build_options options,
                       progress::event_sink on_event, diagnostics* why,
                       completion_handler<cloud_image> handler) {
  auto state = google.state();
  spawn<cloud_image>(state->strand, why, std::move(handler),
                     [state, source = std::move(source), options = std::move(options),
                      on_event = std::move(on_event)](diagnostics& words) mutable {
                       return build(state, std::move(source), std::move(options), std::move(on_event), words);
                     });
}

}  // namespace dockline::gcp
