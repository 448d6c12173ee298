#include "dockline/engine/build.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/images.hpp"

#include "engine/build_run.hpp"
#include "engine/client_state.hpp"
#include "engine/message_stream.hpp"
#include "engine/requests.hpp"

#include <chrono>

namespace dockline::engine {
namespace {

using namespace std::chrono_literals;

// How often the context's progress is told: a person sees no more, and a log needs less.
constexpr auto progress_interval = 100ms;

// "sha256:" and 64 digits, as every engine takes it.
bool is_whole_id(std::string_view id) { return id.starts_with("sha256:") && id.size() == 7 + 64; }

// Where the events of one build go. The side that sends the context may outlast the build by a moment, and
// has to find that nobody listens any more.
struct build_news {
  progress::event_sink listener;
  std::vector<std::string> warnings;
  bool over = false;

  void tell(const progress::event& what) {
    if (over) return;
    if (const auto* warned = std::get_if<progress::warning>(&what.body)) warnings.push_back(warned->text);
    if (listener) listener(what);
  }
};

// Turns what is sent into events: how far the context is, and what its maker warns of.
class context_reporter {
 public:
  context_reporter(std::shared_ptr<byte_source> source, std::shared_ptr<build_news> news)
      : source_(std::move(source)), news_(std::move(news)) {}

  void operator()(std::uint64_t bytes_sent, bool complete) {
    const auto now = std::chrono::system_clock::now();
    for (auto& text : source_->take_warnings()) emit(now, progress::warning{std::move(text)});
    if (!complete && now - last_ < progress_interval) return;
    last_ = now;
    const packing_progress packed = source_->packed();
    progress::context_progress so_far;
    so_far.entries = packed.entries;
    so_far.bytes = packed.bytes;
    so_far.bytes_sent = bytes_sent;
    so_far.complete = complete;
    emit(now, so_far);
  }

 private:
  void emit(progress::event_time now, progress::event_body body) {
    progress::event what;
    what.time = now;
    what.body = std::move(body);
    news_->tell(what);
  }

  std::shared_ptr<byte_source> source_;
  std::shared_ptr<build_news> news_;
  progress::event_time last_ = std::chrono::system_clock::now();
};

task<built_image> build(client daemon, std::shared_ptr<build_run> run, std::shared_ptr<build_news> news,
                        diagnostics& why) {
  auto state = daemon.state();
  const build_options& options = run->options;
  if (!run->context == options.remote.empty()) {
    why.set_client_message("a build takes either a context or a remote one");
    co_return errc::invalid_argument;
  }
  if (auto checked = requests::check(options, why); !checked) co_return checked.error();
  auto version = co_await state->negotiate(why);
  if (!version) co_return version.error();
  auto what = requests::build(options, *version, why);
  if (!what) co_return what.error();
  what->source = run->context;
  sent_sink on_sent;
  if (run->context) on_sent = context_reporter(run->context, news);

  auto over = co_await state->open(std::move(*what), std::move(on_sent), why);
  if (!over) co_return over.error();
  progress::build_messages messages([news](const progress::event& told) { news->tell(told); },
                                    run->on_unknown);
  value_taker take = [&messages](std::string_view message) {
    return messages.add(message, std::chrono::system_clock::now());
  };
  auto read = co_await read_values(**over, std::move(take), "build", why);
  if (run->on_end) {
    const bool no_image = messages.image_id().empty() && !run->no_image;
    run->on_end(!read || no_image || messages.failure() != nullptr);
  }
  const error_code outcome = messages.finish(std::chrono::system_clock::now());
  // What the daemon said of the build counts more than how its connection ended.
  if (outcome == errc::build_failed) {
    why.clear();
    why.set_step(*messages.failure());
    why.set_server_message(messages.failure()->reason);
    co_return outcome;
  }
  if (!read) co_return read.error();
  if (outcome && !(outcome == errc::no_outcome && run->no_image)) {
    why.set_client_message("the daemon ended the build without telling an image or an error");
    co_return outcome;
  }
  state->connections->give_back(**over);
  over->reset();

  built_image image;
  image.id = messages.image_id();
  image.warnings = news->warnings;
  if (!image.id.empty() && !is_whole_id(image.id)) {
    auto [code, found] = co_await async_image_inspect(daemon, image.id, why, unless_cancelled);
    if (code) co_return code;
    image.id = found.id.starts_with("sha256:") ? found.id : "sha256:" + found.id;
  }
  co_return image;
}

}  // namespace

task<built_image> run_build(client daemon, build_run what, diagnostics& why) {
  auto news = std::make_shared<build_news>();
  news->listener = std::move(what.on_event);
  auto run = std::make_shared<build_run>(std::move(what));
  auto image = co_await build(std::move(daemon), std::move(run), news, why);
  news->over = true;
  co_return image;
}

void start_build(client daemon, std::shared_ptr<byte_source> context, build_options options,
                 progress::event_sink on_event, diagnostics* why, completion_handler<built_image> handler) {
  auto state = daemon.state();
  build_run run;
  run.options = std::move(options);
  run.context = std::move(context);
  run.on_event = std::move(on_event);
  spawn<built_image>(state->strand, why, std::move(handler),
                     [daemon = std::move(daemon), run = std::move(run)](diagnostics& words) mutable {
                       return run_build(std::move(daemon), std::move(run), words);
                     });
}

}  // namespace dockline::engine
