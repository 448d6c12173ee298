#include "dockline/containerize/cloud_builder.hpp"

#include "dockline/archive/content_hash.hpp"

#include "containerize/build_tally.hpp"
#include "containerize/registry_lookup.hpp"
#include "core/spawn.hpp"
#include "gcp/client_state.hpp"

#include <utility>

namespace dockline::containerize {
namespace {

struct cloud_state {
  cloud_state(gcp::client whose, cloud_builder_options how)
      : google(std::move(whose)), options(std::move(how)) {}

  gcp::client google;
  cloud_builder_options options;
};

task<archive::build_context> open_context(std::shared_ptr<cloud_state> state, archive::context_options wanted,
                                          diagnostics& why) {
  // The docker there has BuildKit unless it is told not to use it.
  wanted.mode =
      state->options.build.request.buildkit ? archive::ignore_mode::buildkit : archive::ignore_mode::classic;
  wanted.compress = archive::compression::gzip;
  wanted.reproducible = true;
  auto [code, context] = co_await archive::async_open_context(state->google.get_executor(), std::move(wanted),
                                                              why, unless_cancelled);
  if (code) co_return code;
  co_return std::move(context);
}

std::string digest_of(const gcp::cloud_image& built, const std::string& image) {
  for (const gcp::pushed_image& pushed : built.images) {
    if (pushed.name == image) return pushed.digest;
  }
  return built.images.empty() ? std::string() : built.images.front().digest;
}

task<containerized_image> build(std::shared_ptr<cloud_state> state, image_order order,
                                std::shared_ptr<build_tally> tally, diagnostics& why) {
  if (!order.push) {
    why.set_client_message("Cloud Build always pushes");
    co_return errc::invalid_argument;
  }
  auto context = co_await open_context(state, std::move(order.context), why);
  if (!context) co_return context.error();
  auto [unread, hash] =
      co_await archive::async_content_hash(state->google.get_executor(), *context, why, unless_cancelled);
  if (unread) co_return unread;

  gcp::cloud_build_options options = state->options.build;
  options.content_name = "context/sha256-" + hash + ".tar.gz";
  options.request.images.assign(1, order.image);
  options.request.cache_from.clear();
  if (!order.cache_from.empty()) options.request.cache_from.assign(1, order.cache_from);
  // Whoever names this image as the cache of another one finds its layers.
  if (options.request.buildkit) options.request.build_args.emplace("BUILDKIT_INLINE_CACHE", "1");
  options.request.dockerfile = context->dockerfile_name();
  gcp::source_factory source = [context = *context, hash = hash] {
    return std::shared_ptr<byte_source>(context.pack(hash));
  };
  progress::event_sink sink = [tally](const progress::event& what) { tally->tell(what); };
  auto [code, built] = co_await gcp::async_build(state->google, std::move(source), std::move(options),
                                                 std::move(sink), why, unless_cancelled);
  if (code) co_return code;
  containerized_image image;
  tally->add_to(image);
  image.image_uri = order.image;
  image.digest = digest_of(built, order.image);
  image.builder = "cloud-build";
  co_return image;
}

class cloud_builder final : public image_builder {
 public:
  cloud_builder(gcp::client google, cloud_builder_options options)
      : state_(std::make_shared<cloud_state>(std::move(google), std::move(options))) {}

  asio::any_io_executor get_executor() const override { return state_->google.get_executor(); }

  void start_look_up(std::string image, diagnostics* why, completion_handler<image_lookup> handler) override {
    spawn<image_lookup>(state_->google.state()->strand, why, std::move(handler),
                        [state = state_, image = std::move(image)](diagnostics& words) mutable {
                          return ask_registry(state->google, std::move(image),
                                              state->options.registry_endpoint, words);
                        });
  }

  void start_build(image_order order, progress::event_sink on_event, diagnostics* why,
                   completion_handler<containerized_image> handler) override {
    auto tally = std::make_shared<build_tally>(std::move(on_event));
    spawn<containerized_image>(
        state_->google.state()->strand, why, std::move(handler),
        [state = state_, order = std::move(order), tally = std::move(tally)](diagnostics& words) mutable {
          return build(std::move(state), std::move(order), std::move(tally), words);
        });
  }

 private:
  std::shared_ptr<cloud_state> state_;
};

}  // namespace

std::shared_ptr<image_builder> make_cloud_builder(gcp::client google, cloud_builder_options options) {
  return std::make_shared<cloud_builder>(std::move(google), std::move(options));
}

}  // namespace dockline::containerize
