#pragma once

#include "dockline/gcp/client.hpp"
#include "dockline/gcp/credentials.hpp"

#include "gcp/api.hpp"
#include "gcp/credential_source.hpp"
#include "gcp/retry_schedule.hpp"
#include "gcp/token_age.hpp"
#include "http/origins.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace dockline::gcp {

// An answer whose head is there and whose body is read as it comes.
struct open_answer {
  open_answer() = default;

  http::url where;
  std::unique_ptr<http::exchange> over;
  std::string token;  // that it was asked with

  int status() const { return over->head().status; }
};

// What the copies of a client share. Everything below happens on `strand`.
struct client_state : std::enable_shared_from_this<client_state> {
  client_state(asio::any_io_executor executor, credentials own, client_options choice);

  client_options options;
  credentials who;
  asio::any_io_executor executor;  // the user's
  asio::any_io_executor strand;
  http::origins web;
  std::function<std::chrono::system_clock::time_point()> now;
  std::function<double()> random;  // from 0 to below 1

  // The bases of the services' URLs, without a slash at the end. What only the metadata server knows, the
  // universe, is left open in them: open() fills it in.
  std::string storage_url() const;
  std::string cloud_build_url(std::string_view region) const;
  std::string resource_manager_url() const;

  // `reached`: what is asked has answered before.
  retry_schedule schedule(bool reached = false) const { return {options.retries, random, reached}; }

  // Sends and returns when the head of the answer is there, whatever its status; adds no token.
  task<open_answer> open(api_call call, diagnostics& why);
  // The same with a token for all of Google's APIs. An answer of 401 has it renewed, and the request sent
  // again, once.
  task<open_answer> open_as(api_call call, diagnostics& why);
  // The rest of an answer.
  task<api_answer> finish(open_answer answer, diagnostics& why);

  task<api_answer> send(api_call call, diagnostics& why);
  task<api_answer> send_as(api_call call, diagnostics& why);
  // What may be asked twice: repeated while it fails for the moment. A status that is no success is an error
  // with the service's words.
  task<api_answer> call(api_call what, diagnostics& why);

  // Which code an answer that is no success stands for, with the service's words, and the permission that is
  // missing.
  static error_code refusal(const api_call& what, const api_answer& answer, diagnostics& why);

  // A pause. Errors: operation_aborted.
  task<void> wait(std::chrono::milliseconds time);

  // A token for the scope; see async_access_token().
  task<access_token> token(std::string scope, diagnostics& why);
  // That token is refused: it is not given out again.
  void refused(const std::string& scope, const std::string& token);

  // What known_project() says, else what the metadata server does, or Resource Manager of the project of an
  // external account's pool.
  task<std::string> project(diagnostics& why);

  // How many requests were made.
  std::uint64_t exchanges = 0;

  // The newest refresh token of a workforce's user, where answers brought others than the file has.
  std::string newer_refresh_token;

  // Which services have answered: one that cannot be reached later is likely to come back.
  std::set<std::string, std::less<>> answered;

  // Whether the tokens that a service account signs by itself are refused, so that it has to ask for others.
  bool own_tokens_refused = false;

 private:
  struct renewal;
  struct slot {
    slot() = default;

    std::optional<kept_token> kept;
    std::shared_ptr<renewal> renewing;                 // while it runs
    std::chrono::system_clock::time_point not_before;  // after a renewal in the background that failed
  };

  void start_renewal(const std::string& scope, bool background);
  task<access_token> await_renewal(std::shared_ptr<renewal> shared, diagnostics& why);
  std::string base_of(std::string_view service) const;
  task<std::string> ask_universe(diagnostics& why);
  task<std::string> ask_project(diagnostics& why);

  std::map<std::string, slot> tokens_;
  std::string project_;   // that the metadata server or Resource Manager told
  std::string universe_;  // that the metadata server told
};

}  // namespace dockline::gcp
