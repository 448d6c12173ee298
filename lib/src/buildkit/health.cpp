#include "buildkit/health.hpp"

#include <boost/asio/steady_timer.hpp>

#include <protozero/pbf_writer.hpp>

#include <string>

namespace dockline::buildkit {
namespace {

// HealthCheckResponse: status = SERVING.
constexpr protozero::pbf_tag_type status_field = 1;
constexpr int serving = 1;

std::string response() {
  std::string message;
  protozero::pbf_writer writer(message);
  writer.add_enum(status_field, serving);
  return message;
}

asio::awaitable<grpc::reply> answer_check(grpc::call, std::string) { co_return grpc::reply(response()); }

// Says it once, and then only whether the connection lives: the call is over when the caller ends it.
asio::awaitable<grpc::status> watch(grpc::call made) {
  auto written = co_await made.write(response());
  if (!written) co_return grpc::status_of(written.error());
  asio::steady_timer never(made.get_executor(), asio::steady_timer::time_point::max());
  while (!made.ended() && !co_await is_cancelled()) co_await never.async_wait(no_throw);
  co_return grpc::status_of(aborted());
}

}  // namespace

void offer_health(grpc::service& offered) {
  offered.add("/grpc.health.v1.Health/Check", grpc::unary(&answer_check));
  offered.add("/grpc.health.v1.Health/Watch", &watch);
}

}  // namespace dockline::buildkit
