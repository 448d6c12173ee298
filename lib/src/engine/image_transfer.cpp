#include "dockline/engine/image_transfer.hpp"

#include "dockline/engine/images.hpp"

#include "engine/image_requests.hpp"
#include "engine/transfer.hpp"
#include "engine/transfer_requests.hpp"

namespace dockline::engine {
namespace {

task<pushed_image> push(std::shared_ptr<client_state> state, std::string name, push_options options,
                        progress::event_sink on_event, diagnostics& why) {
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::image_push(name, options, *version, why);
  if (!what) co_return what.error();
  progress::transfer_messages messages(progress::transfer::push, std::move(on_event));
  auto over = co_await transfer(std::move(state), std::move(*what), messages, "push", why);
  if (!over) co_return over.error();
  pushed_image pushed;
  for (const auto& one : messages.finished()) {
    pushed_tag tag;
    tag.tag = one.tag;
    tag.digest = one.digest;
    tag.size = static_cast<std::int64_t>(one.size);
    pushed.tags.push_back(std::move(tag));
  }
  co_return std::move(pushed);
}

// podman tells no digest while it pulls. What it knows afterwards is the answer where it is the only one: an
// image that was built and pushed here before may be known by two.
std::string digest_of(std::string_view name, const std::vector<std::string>& repo_digests) {
  const requests::name_and_tag parts = requests::split_reference(name);
  if (parts.tag.find(':') != parts.tag.npos) return std::string(parts.tag);
  std::string digest;
  for (const std::string_view one : repo_digests) {
    const std::size_t at = one.rfind('@');
    if (at == one.npos || !one.substr(0, at).ends_with(parts.name)) continue;
    if (!digest.empty()) return {};
    digest = one.substr(at + 1);
  }
  return digest;
}

task<pulled_image> pull(client daemon, std::string name, pull_options options, progress::event_sink on_event,
                        diagnostics& why) {
  auto state = daemon.state();
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::image_pull(name, options, *version, why);
  if (!what) co_return what.error();
  progress::transfer_messages messages(progress::transfer::pull, std::move(on_event));
  auto over = co_await transfer(std::move(state), std::move(*what), messages, "pull", why);
  if (!over) co_return over.error();
  pulled_image pulled;
  if (!messages.finished().empty()) pulled.digest = messages.finished().back().digest;
  if (options.all_tags) co_return std::move(pulled);
  auto [code, found] = co_await async_image_inspect(daemon, name, why, unless_cancelled);
  if (code) co_return code;
  pulled.id = found.id.starts_with("sha256:") ? found.id : "sha256:" + found.id;
  if (pulled.digest.empty()) pulled.digest = digest_of(name, found.repo_digests);
  co_return std::move(pulled);
}

}  // namespace

void start_image_push(client daemon, std::string name, push_options options, progress::event_sink on_event,
                      diagnostics* why, completion_handler<pushed_image> handler) {
  auto state = daemon.state();
  spawn<pushed_image>(
      state->strand, why, std::move(handler),
      [state, name = std::move(name), options = std::move(options), on_event = std::move(on_event)](
          diagnostics& words) { return push(state, name, options, on_event, words); });
}

void start_image_pull(client daemon, std::string name, pull_options options, progress::event_sink on_event,
                      diagnostics* why, completion_handler<pulled_image> handler) {
  auto state = daemon.state();
  spawn<pulled_image>(
      state->strand, why, std::move(handler),
      [daemon, name = std::move(name), options = std::move(options), on_event = std::move(on_event)](
          diagnostics& words) { return pull(daemon, name, options, on_event, words); });
}

}  // namespace dockline::engine
