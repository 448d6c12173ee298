#include "buildkit/ssh_forward.hpp"

#include "buildkit/agent_messages.hpp"
#include "buildkit/first_field.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <protozero/pbf_writer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace dockline::buildkit {
namespace {

using grpc::status_code;
using protocol = asio::local::stream_protocol;

// BytesMessage.data.
constexpr protozero::pbf_tag_type bytes_field = 1;

constexpr std::string_view id_name = "buildkit.ssh.id";
constexpr std::size_t read_size = 16 * 1024;

using agents_ptr = std::shared_ptr<const std::vector<ssh_agent>>;

std::string bytes_message(std::string_view bytes) {
  std::string message;
  protozero::pbf_writer(message).add_bytes(bytes_field, bytes.data(), bytes.size());
  return message;
}

// A connection to one agent, for one call.
class agent_connection {
 public:
  explicit agent_connection(const asio::any_io_executor& executor) : socket_(executor) {}

  asio::awaitable<grpc::status> open(agents_ptr agents, std::string_view wanted) {
    const std::string id = wanted.empty() ? "default" : std::string(wanted);
    const ssh_agent* found = nullptr;
    for (const ssh_agent& one : *agents) {
      if (one.id == id) found = &one;
    }
    if (found == nullptr)
      co_return grpc::status(status_code::not_found, "no ssh agent \"" + id + "\" was given to the build");
    protocol::endpoint where;
    try {
      where = protocol::endpoint(found->socket);
    } catch (const boost::system::system_error& failure) {
      co_return unreachable(*found, failure.code());
    }
    auto [code] = co_await socket_.async_connect(where, no_throw);
    if (code) co_return unreachable(*found, code);
    co_return grpc::status();
  }

  // One request and its answer, each with its length.
  task<std::string> ask(std::string request) {
    auto [code, written] = co_await asio::async_write(socket_, asio::buffer(request), no_throw);
    if (code) co_return code;
    std::string block(read_size, '\0');
    while (!answers_.done()) {
      if (read_.empty()) {
        auto [failed, size] = co_await socket_.async_read_some(asio::buffer(block), no_throw);
        if (failed) co_return failed;
        read_.assign(block, 0, size);
      }
      auto eaten = answers_.eat(read_);
      if (!eaten) co_return eaten.error();
      read_.erase(0, *eaten);
    }
    co_return answers_.take();
  }

 private:
  static grpc::status unreachable(const ssh_agent& agent, error_code code) {
    return grpc::status(status_code::unavailable,
                        "the ssh agent \"" + agent.id + "\" does not answer: " + code.message());
  }

  protocol::socket socket_;
  agent_messages answers_;
  std::string read_;  // and not eaten
};

asio::awaitable<grpc::reply> check(agents_ptr agents, grpc::call made, std::string request) {
  const auto id = first_field(request);
  if (!id) co_return grpc::status(status_code::internal, "the request cannot be read");
  agent_connection agent(made.get_executor());
  grpc::status opened = co_await agent.open(agents, *id);
  if (!opened.ok()) co_return opened;
  co_return grpc::reply(std::string());
}

// One request after the other, each answered before the next one is looked at: an agent says nothing of its
// own accord.
asio::awaitable<grpc::status> forward(agents_ptr agents, grpc::call made) {
  agent_connection agent(made.get_executor());
  grpc::status opened = co_await agent.open(agents, made.request_metadata().find(id_name));
  if (!opened.ok()) co_return opened;
  agent_messages requests;
  for (;;) {
    auto message = co_await made.read();
    if (!message) co_return grpc::status_of(message.error());
    if (!*message) co_return grpc::status();
    const auto data = first_field(**message);
    if (!data) co_return grpc::status(status_code::internal, "the message cannot be read");
    for (std::string_view rest = *data; !rest.empty();) {
      auto eaten = requests.eat(rest);
      if (!eaten) co_return grpc::status_of(eaten.error(), "this is not the protocol of ssh agents");
      rest.remove_prefix(*eaten);
      if (!requests.done()) continue;
      std::string request = requests.take();
      result<std::string> answer = agent_failure();
      if (is_allowed(request)) answer = co_await agent.ask(std::move(request));
      if (!answer) co_return grpc::status_of(answer.error(), "the ssh agent: " + answer.error().message());
      const std::string wrapped = bytes_message(*answer);
      if (auto written = co_await made.write(wrapped); !written) co_return grpc::status_of(written.error());
    }
  }
}

}  // namespace

void offer_ssh_agents(grpc::service& to, std::vector<ssh_agent> agents) {
  const auto shared = std::make_shared<const std::vector<ssh_agent>>(std::move(agents));
  to.add("/moby.sshforward.v1.SSH/CheckAgent", grpc::unary([shared](grpc::call made, std::string request) {
           return check(shared, std::move(made), std::move(request));
         }));
  to.add("/moby.sshforward.v1.SSH/ForwardAgent",
         [shared](grpc::call made) { return forward(shared, std::move(made)); });
}

}  // namespace dockline::buildkit
