#include "buildkit/file_sync.hpp"

#include "archive/context_state.hpp"
#include "archive/work.hpp"
#include "core/ascii.hpp"
#include "core/pending.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace dockline::buildkit {
namespace {

using namespace std::chrono_literals;

// How often progress is told: a person sees no more.
constexpr auto progress_interval = 100ms;

// The way back from Go's url.QueryEscape.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

// The values of a name. Those that are not ASCII come escaped, all of them then.
std::vector<std::string> values_of(const grpc::metadata& metadata, const std::string& name) {
  std::vector<std::string> values = metadata.all(name);
  if (metadata.find(name + "-encoded") == "1")
    for (std::string& value : values) value = unescaped(value);
  return values;
}

// One call: what its reading and its writing half share.
struct transfer {
  transfer(const grpc::call& with, std::shared_ptr<const file_source> from, file_request wanted)
      : call(with), sender(std::move(from), std::move(wanted)), wake(with.get_executor()) {}

  grpc::call call;
  file_sender sender;
  asio::steady_timer wake;  // cancelled when something came
  bool stirred = false;     // something came since the last look
  bool ended = false;       // nothing more will come
  error_code failure;
  diagnostics why;

  void end() {
    ended = true;
    sender.stop();
    wake.cancel();
  }
};

// Hands what the daemon says to the sender, until it has said all.
task<void> listen(std::shared_ptr<transfer> with) {
  for (;;) {
    auto message = co_await with->call.read();
    if (!message || !*message) break;
    if (const error_code code = with->sender.take(**message, with->why)) {
      with->failure = code;
      break;
    }
    with->stirred = true;
    with->wake.cancel();
  }
  with->end();
  co_return result<void>();
}

class reporter {
 public:
  reporter(std::shared_ptr<synced_files> files, bool counts) : files_(std::move(files)), counts_(counts) {}

  void sent(std::size_t bytes) { bytes_ += bytes; }

  void tell(file_sender& sender, bool complete) {
    for (std::string& text : sender.take_warnings())
      if (files_->on_warning) files_->on_warning(std::move(text));
    const auto now = std::chrono::steady_clock::now();
    if (!counts_ || !files_->on_progress || (!complete && now - last_ < progress_interval)) return;
    last_ = now;
    files_->on_progress(sender.sent(), bytes_, complete);
  }

 private:
  std::shared_ptr<synced_files> files_;
  bool counts_;
  std::uint64_t bytes_ = 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

struct filled {
  message_batch batch;
  file_sender::state left = file_sender::state::more;
};

// One batch, made where work is done.
task<filled> fill(asio::any_io_executor work, std::shared_ptr<transfer> with, message_batch batch,
                  diagnostics& why) {
  auto job = std::make_shared<archive::blocking_job<filled>>();
  job->work = [with, kept = std::make_shared<message_batch>(std::move(batch))](
                  diagnostics& words, const std::atomic<bool>&) -> result<filled> {
    filled made;
    made.batch = std::move(*kept);
    made.batch.clear();
    auto left = with->sender.fill(made.batch, words);
    if (!left) return left.error();
    made.left = *left;
    return made;
  };
  co_return co_await archive::run_blocking(std::move(work), job, why);
}

// Sends until the daemon has all that it wants.
task<void> send(std::shared_ptr<synced_files> files, std::shared_ptr<transfer> with, reporter& progress,
                diagnostics& why) {
  message_batch batch;
  for (;;) {
    with->stirred = false;
    auto made = co_await fill(files->work, with, std::move(batch), why);
    if (with->failure) {
      why = with->why;
      co_return with->failure;
    }
    if (!made) co_return made.error();
    for (std::size_t i = 0; i < made->batch.size(); ++i) {
      const std::string_view message = made->batch[i];
      if (auto written = co_await with->call.write(message); !written) co_return written.error();
      progress.sent(message.size());
    }
    progress.tell(with->sender, made->left == file_sender::state::over);
    if (made->left == file_sender::state::over) co_return result<void>();
    batch = std::move(made->batch);
    if (made->left == file_sender::state::more || with->stirred) continue;
    if (with->ended) co_return aborted();
    with->wake.expires_at(asio::steady_timer::time_point::max());
    co_await with->wake.async_wait(no_throw);
    if (co_await is_cancelled()) co_return aborted();
  }
}

asio::awaitable<grpc::status> diff_copy(std::shared_ptr<synced_files> files, grpc::call call) {
  const std::string name = values_of(call.request_metadata(), "dir-name").empty()
                               ? std::string()
                               : values_of(call.request_metadata(), "dir-name").front();
  const auto from = files->directories.find(name);
  if (from == files->directories.end())
    co_return grpc::status(grpc::status_code::not_found, "no access allowed to dir \"" + name + "\"");
  file_request wanted = read_file_request(call.request_metadata());
  // The look for an ignore file is no transfer that people want to see.
  const bool counts =
      name != "dockerfile" && !(wanted.follow.size() == 1 && wanted.follow.front() == ".dockerignore");
  reporter progress(files, counts);
  auto with = std::make_shared<transfer>(call, from->second, std::move(wanted));
  auto listening = pending<void>::start(
      call.get_executor(), with,
      [&with](completion_handler<void> handler) {
        spawn<void>(with->call.get_executor(), nullptr, std::move(handler),
                    [with](diagnostics&) { return listen(with); });
      },
      [with](error_code code) {
        with->failure = code;
        with->end();
      });
  diagnostics why;
  auto sent = co_await send(files, with, progress, why);
  grpc::status outcome;
  if (!sent) {
    const std::string words = describe(sent.error(), why);
    // What the daemon said of itself it says to the build as well.
    const bool ours = sent.error() != errc::operation_failed && sent.error() != condition::cancelled;
    if (ours && !files->failure) {
      files->failure = sent.error();
      files->failure_words = why;
    }
    outcome = grpc::status_of(sent.error(), words);
    std::string message;
    append_error(message, words);
    if (ours) (void)co_await call.write(message);
  }
  listening.cancel();
  (void)co_await listening.get();
  co_return outcome;
}

// The patterns as an ignore file has them. A pattern that starts with '#' would be a comment.
std::string text_of(const archive::ignore_rules& rules) {
  std::string text;
  for (const archive::ignore_rule& rule : rules.rules()) {
    if (rule.written.starts_with('#')) text += ' ';
    text += rule.written + "\n";
  }
  return text;
}

}  // namespace

std::string dockerfile_name_of(const archive::build_context& context) {
  const std::string& name = context.dockerfile_name();
  if (name.starts_with(".dockerfile.")) return "Dockerfile";
  return name.substr(name.rfind('/') + 1);
}

std::shared_ptr<synced_files> files_of(const archive::build_context& context) {
  const archive::build_context::state& shared = *context.shared();
  const archive::context_tree& tree = *shared.found;

  auto files = std::make_shared<synced_files>();
  files->work = shared.work;
  files->keep = shared.pool;

  auto directory = std::make_shared<file_source>();
  directory->plan = tree.plan;
  std::erase_if(directory->plan.overlay, [](const archive::overlay_file& one) { return one.of_builder; });
  directory->rules = tree.rules;
  directory->files = tree.files;

  // The daemon reads the rules itself, from here, for a Dockerfile that has its own. Files from memory are
  // sent whatever the rules say.
  std::string rules = text_of(tree.plan.rules);
  for (const archive::overlay_file& one : directory->plan.overlay) rules += archive::exception_for(one.name);
  auto definition = std::make_shared<file_source>();
  definition->plan.on_disk = false;
  definition->plan.opened_at = tree.plan.opened_at;
  const std::string name = dockerfile_name_of(context);
  definition->plan.overlay.push_back({name, tree.dockerfile_text});
  definition->plan.overlay.push_back({name + ".dockerignore", std::move(rules)});
  files->directories["context"] = std::move(directory);
  files->directories["dockerfile"] = std::move(definition);
  return files;
}

file_request read_file_request(const grpc::metadata& metadata) {
  file_request wanted;
  wanted.include = values_of(metadata, "include-patterns");
  wanted.exclude = values_of(metadata, "exclude-patterns");
  wanted.only_excludes = metadata.find("override-excludes") == "true";
  wanted.follow = values_of(metadata, "followpaths");
  return wanted;
}

void offer_files(grpc::service& to, std::shared_ptr<synced_files> files) {
  to.add("/moby.filesync.v1.FileSync/DiffCopy",
         [files = std::move(files)](grpc::call call) { return diff_copy(files, std::move(call)); });
}

}  // namespace dockline::buildkit
