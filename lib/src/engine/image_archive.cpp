#include "dockline/engine/image_archive.hpp"

#include "engine/answer_source.hpp"
#include "engine/image_requests.hpp"
#include "engine/transfer.hpp"

namespace dockline::engine {
namespace {

task<std::shared_ptr<byte_source>> save(std::shared_ptr<client_state> state, std::vector<std::string> names,
                                        image_save_options options, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::image_save(names, options, *version, why);
  if (!what) co_return what.error();
  auto over = co_await state->open(std::move(*what), nullptr, why);
  if (!over) co_return over.error();
  co_return make_answer_source(std::move(state), std::move(*over));
}

// What a load or an import sends has to be there.
bool check_source(const std::shared_ptr<byte_source>& tar, diagnostics& why) {
  if (!tar) why.set_client_message("there is no tar that could be sent");
  return tar != nullptr;
}

task<loaded_images> load(std::shared_ptr<client_state> state, std::shared_ptr<byte_source> tar,
                         image_load_options options, progress::event_sink on_event, diagnostics& why) {
  if (!check_source(tar, why)) co_return errc::invalid_argument;
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::image_load(options, *version, why);
  if (!what) co_return what.error();
  what->source = std::move(tar);
  progress::transfer_messages messages(progress::transfer::load, std::move(on_event));
  auto over = co_await transfer(std::move(state), std::move(*what), messages, "load", why);
  if (!over) co_return over.error();
  loaded_images loaded;
  for (const auto& image : messages.images())
    (image.starts_with("sha256:") ? loaded.ids : loaded.references).push_back(image);
  co_return std::move(loaded);
}

task<std::string> import(std::shared_ptr<client_state> state, std::shared_ptr<byte_source> tar,
                         image_import_options options, progress::event_sink on_event, diagnostics& why) {
  if (!check_source(tar, why)) co_return errc::invalid_argument;
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::image_import(options, *version, why);
  if (!what) co_return what.error();
  what->source = std::move(tar);
  progress::transfer_messages messages(progress::transfer::import, std::move(on_event));
  auto over = co_await transfer(std::move(state), std::move(*what), messages, "import", why);
  if (!over) co_return over.error();
  co_return messages.images().back();
}

}  // namespace

void start_image_load(client daemon, std::shared_ptr<byte_source> tar, image_load_options options,
                      progress::event_sink on_event, diagnostics* why,
                      completion_handler<loaded_images> handler) {
  auto state = daemon.state();
  spawn<loaded_images>(
      state->strand, why, std::move(handler),
      [state, tar = std::move(tar), options = std::move(options), on_event = std::move(on_event)](
          diagnostics& words) { return load(state, tar, options, on_event, words); });
}

void start_image_import(client daemon, std::shared_ptr<byte_source> tar, image_import_options options,
                        progress::event_sink on_event, diagnostics* why,
                        completion_handler<std::string> handler) {
  auto state = daemon.state();
  spawn<std::string>(
      state->strand, why, std::move(handler),
      [state, tar = std::move(tar), options = std::move(options), on_event = std::move(on_event)](
          diagnostics& words) { return import(state, tar, options, on_event, words); });
}

void start_image_save(client daemon, std::vector<std::string> names, image_save_options options,
                      diagnostics* why, completion_handler<std::shared_ptr<byte_source>> handler) {
  auto state = daemon.state();
  spawn<std::shared_ptr<byte_source>>(state->strand, why, std::move(handler),
                                      [state, names = std::move(names), options = std::move(options)](
                                          diagnostics& words) { return save(state, names, options, words); });
}

}  // namespace dockline::engine
