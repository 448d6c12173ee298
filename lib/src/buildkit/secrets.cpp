#include "buildkit/secrets.hpp"

#include "dockline/core/diagnostics.hpp"

#include "archive/work.hpp"
#include "buildkit/first_field.hpp"
#include "core/wipe.hpp"

#include <fcntl.h>
#include <protozero/pbf_writer.hpp>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace dockline::buildkit {
namespace {

using grpc::status_code;

// GetSecretResponse.data.
constexpr protozero::pbf_tag_type data_field = 1;

// A text that is overwritten when it goes.
struct secret_text {
  secret_text() = default;
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { wipe(bytes); }

  std::string bytes;
};
using shared_text = std::shared_ptr<secret_text>;

result<shared_text> read_file(const std::string& path, diagnostics& why) {
  const auto fail = [&](std::string words) -> error_code {
    why.set_client_message(std::move(words));
    return errc::unreadable_file;
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return fail(path + ": " + std::strerror(errno));
  auto text = std::make_shared<secret_text>();
  text->bytes.resize(longest_secret + 1);
  std::size_t size = 0;
  ssize_t some = 0;
  do {
    some = ::read(file, text->bytes.data() + size, text->bytes.size() - size);
    if (some > 0) size += static_cast<std::size_t>(some);
  } while ((some > 0 && size < text->bytes.size()) || (some < 0 && errno == EINTR));
  const int failed = some < 0 ? errno : 0;
  ::close(file);
  if (failed != 0) return fail(path + ": " + std::strerror(failed));
  if (size > longest_secret) return fail(path + ": longer than BuildKit takes");
  text->bytes.resize(size);
  return text;
}

std::string response(std::string_view value) {
  std::string message;
  // In one piece, since growing would leave a copy behind.
  message.reserve(value.size() + 16);
  protozero::pbf_writer(message).add_bytes(data_field, value.data(), value.size());
  return message;
}

asio::awaitable<grpc::reply> get(std::shared_ptr<const std::vector<secret>> secrets,
                                 asio::any_io_executor work, grpc::call made, std::string request) {
  const auto id = first_field(request);
  if (!id) co_return grpc::status(status_code::internal, "the request cannot be read");
  const secret* wanted = nullptr;
  for (const secret& one : *secrets) {
    if (one.id() == *id) wanted = &one;
  }
  // The daemon goes on without a secret that is not there, unless the step requires it; it asks for the code.
  if (wanted == nullptr) co_return grpc::status(status_code::not_found, "not found");
  made.keep_secret();
  if (const std::string* value = wanted->value()) co_return grpc::reply(response(*value));
  auto job = std::make_shared<archive::blocking_job<shared_text>>();
  job->work = [path = wanted->path()](diagnostics& why, const std::atomic<bool>&) {
    return read_file(path, why);
  };
  diagnostics why;
  auto read = co_await archive::run_blocking(work, std::move(job), why);
  if (!read) co_return grpc::status_of(read.error(), "secret " + *id + ": " + why.client_message());
  co_return grpc::reply(response((*read)->bytes));
}

}  // namespace

void offer_secrets(grpc::service& to, std::vector<secret> secrets, asio::any_io_executor work) {
  const auto shared = std::make_shared<const std::vector<secret>>(std::move(secrets));
  to.add("/moby.buildkit.secrets.v1.Secrets/GetSecret",
         grpc::unary([shared, work](grpc::call made, std::string request) {
           return get(shared, work, std::move(made), std::move(request));
         }));
}

}  // namespace dockline::buildkit
