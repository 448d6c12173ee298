#include "commands/build_source.hpp"

#include <dockline/archive/archive_format.hpp>

#include "source_of_stdin.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;

bool is_remote(const std::string& path) {
  static constexpr std::array<std::string_view, 6> prefixes = {"http://", "https://", "git://",
                                                               "git@",    "ssh://",   "github.com/"};
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return path.starts_with(prefix); });
}

// Bytes that were read to see what they are, and then the rest.
class resumed_source final : public byte_source {
 public:
  resumed_source(asio::any_io_executor executor, std::string start, std::unique_ptr<byte_source> rest)
      : executor_(std::move(executor)), start_(std::move(start)), rest_(std::move(rest)) {}

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    if (given_ == start_.size()) return rest_->async_read_some(block, std::move(handler));
    const std::size_t size = std::min(block.size(), start_.size() - given_);
    std::memcpy(block.data(), start_.data() + given_, size);
    given_ += size;
    asio::post(executor_,
               [size, handler = std::move(handler)]() mutable { std::move(handler)(error_code(), size); });
  }

  const diagnostics& why() const noexcept override { return rest_->why(); }

 private:
  asio::any_io_executor executor_;
  std::string start_;
  std::unique_ptr<byte_source> rest_;
  std::size_t given_ = 0;
};

int refuse(console& terminal, const std::string& text) {
  terminal.error(text);
  return static_cast<int>(exit_status::usage);
}

asio::awaitable<std::optional<build_source>> from_stdin(asio::any_io_executor executor,
                                                        context_arguments arguments, console& terminal,
                                                        int& status) {
  if (arguments.file == "-") {
    status = refuse(terminal, "--file -: standard input is the context already");
    co_return std::nullopt;
  }
  diagnostics why;
  auto input = make_source_of_stdin(executor);
  std::string start;
  auto code = co_await read_start(*input, archive::archive_probe_size, start, why);
  build_source found;
  if (!code && archive::detect_archive(start) != archive::archive_format::none) {
    found.dockerfile = arguments.file;
    found.body = std::make_shared<resumed_source>(executor, std::move(start), std::move(input));
    co_return std::move(found);
  }
  if (!code && !arguments.file.empty()) {
    status = refuse(terminal, "--file \"" + arguments.file +
                                  "\": standard input is no archive, so it would be the Dockerfile, too");
    co_return std::nullopt;
  }
  if (!code) code = co_await read_dockerfile(*input, start, why);
  if (code) {
    status = report_unsent(terminal, code, why);
    co_return std::nullopt;
  }
  if (start.empty()) {
    status = refuse(terminal, "standard input is empty: neither an archive nor a Dockerfile");
    co_return std::nullopt;
  }
  archive::context_options options;
  options.dockerfile = archive::dockerfile_source::alone(std::move(start));
  auto [refused, context] = co_await archive::async_open_context(executor, std::move(options), why, no_throw);
  if (refused) {
    status = report_unsent(terminal, refused, why);
    co_return std::nullopt;
  }
  found.dockerfile_text = context.dockerfile_text();
  found.context = std::move(context);
  co_return std::move(found);
}

}  // namespace

asio::awaitable<std::optional<build_source>> open_build_source(asio::any_io_executor executor,
                                                               context_arguments arguments,
                                                               archive::ignore_mode mode, console& terminal,
                                                               int& status) {
  if (arguments.path == "-") {
    auto found = co_await from_stdin(executor, std::move(arguments), terminal, status);
    co_return found;
  }
  build_source found;
  if (is_remote(arguments.path)) {
    if (arguments.file == "-") {
      status =
          refuse(terminal, "--file -: the daemon fetches this context itself, with the Dockerfile in it");
      co_return std::nullopt;
    }
    found.remote = arguments.path;
    found.dockerfile = arguments.file;
    co_return std::move(found);
  }
  auto context = co_await open_context(executor, std::move(arguments), mode, terminal, status);
  if (!context) co_return std::nullopt;
  found.dockerfile_text = context->dockerfile_text();
  found.context = std::move(*context);
  co_return std::move(found);
}

}  // namespace dockline::tool
