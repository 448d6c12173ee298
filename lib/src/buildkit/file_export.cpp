#include "buildkit/file_export.hpp"

#include "archive/work.hpp"
#include "buildkit/file_receiver.hpp"
#include "buildkit/packet.hpp"
#include "core/random.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace dockline::buildkit {
namespace {

error_code fail(const std::string& path, diagnostics& why) {
  why.set_client_message(path + ": " + std::generic_category().message(errno));
  return errc::cannot_write;
}

class archive_file final : public archive_writer {
 public:
  explicit archive_file(std::string path) : path_(std::move(path)) {}
  ~archive_file() override {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  error_code open(diagnostics& why) {
    struct stat there {};
    if (::stat(path_.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
      return descriptor_ < 0 ? fail(path_, why) : error_code();
    }
    // As any file is made: mkostemp() makes one that its owner alone may read, and what the umask would leave cannot be
    // asked for without changing it.
    do {
      temporary_ = path_ + '.' + random_id().substr(0, 6);
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ >= 0) return {};
    temporary_.clear();
    return fail(path_, why);
  }

  error_code write(std::string_view bytes, diagnostics& why) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(path_, why);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  error_code finish(diagnostics& why) override {
    if (::close(std::exchange(descriptor_, -1)) != 0) return fail(path_, why);
    if (!temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0) return fail(path_, why);
    temporary_.clear();
    return {};
  }

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

class archive_function final : public archive_writer {
 public:
  explicit archive_function(std::function<error_code(std::string_view)> write) : write_(std::move(write)) {}

  error_code write(std::string_view bytes, diagnostics& why) override {
    const error_code code = write_(bytes);
    if (!code) return {};
    why.set_client_message("the archive cannot be written: " + code.message());
    return errc::cannot_write;
  }
  error_code finish(diagnostics&) override { return {}; }

 private:
  std::function<error_code(std::string_view)> write_;
};

// Runs `work` where blocking is allowed.
template <class T>
task<T> blocking(asio::any_io_executor where, std::function<result<T>(diagnostics&)> work, diagnostics& why) {
  auto job = std::make_shared<archive::blocking_job<T>>();
  job->work = [work = std::move(work)](diagnostics& words, const std::atomic<bool>&) { return work(words); };
  co_return co_await archive::run_blocking(std::move(where), job, why);
}

struct taken {
  message_batch answers;
  file_receiver::state left = file_receiver::state::more;
};

// A job that has no value of its own. Of a bool there is no result: an error code might be taken for one.
struct nothing {
  nothing() = default;
};

task<void> receive_files(std::shared_ptr<received_export> into, grpc::call call, diagnostics& why) {
  auto receiver = std::make_shared<file_receiver>(into->directory);
  std::function<result<nothing>(diagnostics&)> open = [receiver](diagnostics& words) -> result<nothing> {
    if (const error_code code = receiver->open(words)) return code;
    return nothing();
  };
  auto opened = co_await blocking<nothing>(into->work, std::move(open), why);
  if (!opened) co_return opened.error();
  for (;;) {
    auto message = co_await call.read();
    if (!message) co_return message.error();
    if (!*message) co_return make_error_code(errc::malformed_message);
    auto bytes = std::make_shared<std::string>(std::move(**message));
    std::function<result<taken>(diagnostics&)> take = [receiver, bytes](diagnostics& words) -> result<taken> {
      taken made;
      auto left = receiver->take(*bytes, made.answers, words);
      if (!left) return left.error();
      made.left = *left;
      return made;
    };
    auto made = co_await blocking<taken>(into->work, std::move(take), why);
    for (std::string& text : receiver->take_warnings())
      if (into->on_warning) into->on_warning(std::move(text));
    into->files = receiver->files();
    into->bytes = receiver->bytes();
    if (!made) co_return made.error();
    for (std::size_t i = 0; i < made->answers.size(); ++i) {
      if (auto written = co_await call.write(made->answers[i]); !written) co_return written.error();
    }
    into->complete = receiver->whole();
    if (made->left == file_receiver::state::over) co_return result<void>();
  }
}

task<void> receive_archive(std::shared_ptr<received_export> into, grpc::call call, diagnostics& why) {
  for (;;) {
    auto message = co_await call.read();
    if (!message) co_return message.error();
    auto bytes = std::make_shared<std::optional<std::string>>(std::move(*message));
    const bool over = !*bytes;
    std::function<result<std::size_t>(diagnostics&)> write =
        [into, bytes](diagnostics& words) -> result<std::size_t> {
      if (!*bytes) {
        if (const error_code code = into->archive->finish(words)) return code;
        return std::size_t{0};
      }
      std::string_view data;
      if (!read_bytes_message(**bytes, data)) return make_error_code(errc::malformed_message);
      if (const error_code code = into->archive->write(data, words)) return code;
      return data.size();
    };
    auto written = co_await blocking<std::size_t>(into->work, std::move(write), why);
    if (!written) co_return written.error();
    into->bytes += *written;
    if (over) co_return result<void>();
  }
}

// The list of the files is heard, and none of them is asked for.
task<void> receive_nothing(std::shared_ptr<received_export> into, grpc::call call, diagnostics& why) {
  for (;;) {
    auto message = co_await call.read();
    if (!message) co_return message.error();
    packet read;
    if (!*message || !read_packet(**message, read)) co_return make_error_code(errc::malformed_message);
    switch (read.type) {
      case packet_type::stat: {
        if (read.has_stat) continue;
        std::string end;
        append_fin(end);
        if (auto written = co_await call.write(end); !written) co_return written.error();
        into->complete = true;
        continue;
      }
      case packet_type::fin: co_return result<void>();
      case packet_type::error:
        why.set_server_message(std::string(read.data));
        co_return make_error_code(errc::operation_failed);
      case packet_type::data:
      case packet_type::request: co_return make_error_code(errc::malformed_message);
    }
  }
}

task<void> receive_result(std::shared_ptr<received_export> into, grpc::call call, diagnostics& why) {
  if (into->unwanted) return receive_nothing(std::move(into), std::move(call), why);
  if (into->archive) return receive_archive(std::move(into), std::move(call), why);
  return receive_files(std::move(into), std::move(call), why);
}

asio::awaitable<grpc::status> receive(std::shared_ptr<received_export> into, grpc::call call) {
  // The daemon exports once. A second time would write over what came first.
  if (into->complete || into->failure)
    co_return grpc::status(grpc::status_code::already_exists, "the result was received already");
  diagnostics why;
  auto done = co_await receive_result(into, call, why);
  // The daemon cancels its call as soon as it has heard that all is here, mostly before it has said so itself.
  if (done || into->complete) {
    into->complete = true;
    co_return grpc::status();
  }
  if (done.error() != errc::operation_failed && done.error() != condition::cancelled) {
    into->failure = done.error();
    into->failure_words = why;
  }
  const std::string words = describe(done.error(), why);
  if (!into->archive && done.error() != condition::cancelled) {
    std::string message;
    append_error(message, words);
    (void)co_await call.write(message);
  }
  co_return grpc::status_of(done.error(), words);
}

}  // namespace

result<std::unique_ptr<archive_writer>> open_archive(const std::string& path, diagnostics& why) {
  auto file = std::make_unique<archive_file>(path);
  if (const error_code code = file->open(why)) return code;
  return std::unique_ptr<archive_writer>(std::move(file));
}

std::unique_ptr<archive_writer> make_archive_writer(std::function<error_code(std::string_view)> write) {
  return std::make_unique<archive_function>(std::move(write));
}

void offer_export(grpc::service& to, std::shared_ptr<received_export> into) {
  to.add("/moby.filesync.v1.FileSend/DiffCopy",
         [into = std::move(into)](grpc::call call) { return receive(into, std::move(call)); });
}

}  // namespace dockline::buildkit
