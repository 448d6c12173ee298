// What a workload's own identity provider says of it: from a file, a URL, a program, or AWS.

#include "dockline/core/diagnostics.hpp"

#include "core/run_program.hpp"
#include "core/small_file.hpp"
#include "gcp/aws_request.hpp"
#include "gcp/token_requests.hpp"
#include "gcp/token_source.hpp"

#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// A kept answer of a program that is about to expire is not worth asking with.
constexpr auto least_life = 30s;

task<std::string> get_text(std::shared_ptr<client_state> state, api_call call, std::string name,
                           diagnostics& why) {
  auto answer = co_await ask_server(state, std::move(call), why);
  if (!answer) {
    if (answer.error() == condition::cancelled) co_return answer.error();
    why.set_client_message(name + ": " + why.client_message());
    co_return answer.error();
  }
  if (answer->status() / 100 != 2) {
    why.clear();
    why.set_client_message(name + ": answered with status " + std::to_string(answer->status()));
    co_return errc::token_refused;
  }
  co_return std::move(answer->body);
}

task<std::string> subject_of(std::shared_ptr<client_state> state, const subject_url& from, diagnostics& why) {
  api_call call("GET", from.url);
  for (const auto& [name, value] : from.fields) call.with(name, value);
  auto text = co_await get_text(state, std::move(call), "the credentials' URL", why);
  if (!text) co_return text.error();
  co_return read_subject(*text, from.format, "the answer of the credentials' URL", why);
}

task<std::string> subject_of(std::shared_ptr<client_state> state, const external_account& who,
                             const subject_program& from, diagnostics& why) {
  if (!from.output_file.empty()) {
    diagnostics ignored;
    if (const auto text = read_small_file(from.output_file, ignored); text && *text) {
      const auto kept = read_program_answer(**text, who.subject_token_type, ignored);
      if (kept && kept->expires && *kept->expires > state->now() + least_life) co_return kept->token;
    }
  }
  program_call call;
  call.arguments = from.arguments;
  call.environment = from.environment;
  call.timeout = from.timeout;
  auto end = co_await run_program(state->strand, std::move(call));
  if (!end) co_return end.error();
  std::string failure;
  if (end->not_started) {
    failure = "cannot be run: " + end->not_started.message();
  } else if (end->timed_out) {
    failure = "gave no answer within " + std::to_string(from.timeout / 1ms) + " ms";
  } else if (end->too_long) {
    failure = "printed more than 1 MiB";
  } else if (end->status != 0) {
    failure = "ended with status " + std::to_string(end->status);
  }
  if (!failure.empty()) {
    why.set_client_message("the credentials' program " + from.arguments.front() + " " + failure);
    co_return errc::bad_configuration;
  }
  auto answer = read_program_answer(end->output, who.subject_token_type, why);
  if (!answer) co_return answer.error();
  co_return std::move(answer->token);
}

// A workload at AWS asks its own metadata server for what it has to sign with.
task<std::string> subject_of(std::shared_ptr<client_state> state, const external_account& who,
                             const subject_aws& from, diagnostics& why) {
  const bool has_keys = !from.access_key.empty() && !from.secret_key.empty();
  std::string session;
  if (!from.session_url.empty() && (from.region.empty() || !has_keys)) {
    api_call call("PUT", from.session_url);
    call.with("X-aws-ec2-metadata-token-ttl-seconds", "300");
    auto text = co_await get_text(state, std::move(call), "the AWS session token", why);
    if (!text) co_return text.error();
    session = std::move(*text);
  }
  const auto asking = [&session](const std::string& url) {
    api_call call("GET", url);
    if (!session.empty()) call.with("X-aws-ec2-metadata-token", session);
    return call;
  };
  std::string region = from.region;
  if (region.empty()) {
    auto zone = co_await get_text(state, asking(from.region_url), "the AWS region", why);
    if (!zone) co_return zone.error();
    // "us-east-1b" is in us-east-1.
    region = zone->substr(0, zone->empty() ? 0 : zone->size() - 1);
  }
  aws_keys keys;
  keys.access_key = from.access_key;
  keys.secret_key = from.secret_key;
  keys.session_token = from.session_token;
  if (!has_keys) {
    auto role = co_await get_text(state, asking(from.security_url), "the AWS role", why);
    if (!role) co_return role.error();
    auto text = co_await get_text(state, asking(from.security_url + "/" + *role), "the AWS keys", why);
    if (!text) co_return text.error();
    keys = read_aws_keys(*text);
  }
  if (keys.access_key.empty() || keys.secret_key.empty()) {
    why.set_client_message("no AWS keys, neither in the environment nor from the machine's role");
    co_return errc::bad_configuration;
  }
  co_return sign_aws_request(keys, from.verification_url, region, who.audience, state->now(), why);
}

}  // namespace

task<std::string> fetch_subject(std::shared_ptr<client_state> state, const external_account& who,
                                diagnostics& why) {
  if (const auto* file = std::get_if<subject_file>(&who.subject)) {
    const auto text = read_small_file(file->path, why);
    if (!text) co_return text.error();
    if (!*text) {
      why.set_client_message("the credentials' token file " + file->path + ": not there");
      co_return errc::bad_configuration;
    }
    co_return read_subject(**text, file->format, file->path, why);
  }
  if (const auto* url = std::get_if<subject_url>(&who.subject)) {
    auto token = co_await subject_of(state, *url, why);
    co_return token;
  }
  if (const auto* program = std::get_if<subject_program>(&who.subject)) {
    auto token = co_await subject_of(state, who, *program, why);
    co_return token;
  }
  auto token = co_await subject_of(state, who, std::get<subject_aws>(who.subject), why);
  co_return token;
}

}  // namespace dockline::gcp
