#include "dockline/core/error.hpp"

#include <boost/asio/error.hpp>

#include <string>

namespace dockline {
namespace {

class library_category final : public boost::system::error_category {
 public:
  constexpr library_category() noexcept : boost::system::error_category(0xc5b61a0e4f7d29b3) {}

  const char* name() const noexcept override { return "dockline"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::invalid_argument: return "invalid argument";
      case errc::invalid_pattern: return "invalid ignore pattern";
      case errc::invalid_reference: return "invalid image reference";
      case errc::invalid_address: return "invalid daemon address";
      case errc::no_such_directory: return "no such directory";
      case errc::no_dockerfile: return "no Dockerfile";
      case errc::unsupported_parameter: return "not supported by the daemon's API version";
      case errc::bad_configuration: return "bad configuration";
      case errc::unreadable_file: return "cannot read from the build context";
      case errc::file_changed: return "a file changed while it was packed";
      case errc::cannot_write: return "a result cannot be written";
      case errc::cannot_connect: return "cannot connect";
      case errc::no_permission: return "no permission to connect";
      case errc::connection_lost: return "the connection was closed before the answer was complete";
      case errc::timed_out: return "timed out";
      case errc::tls_failed: return "TLS: one side does not accept the other";
      case errc::no_credentials: return "no credentials";
      case errc::token_refused: return "no access token is given for the credentials";
      case errc::malformed_http: return "malformed HTTP";
      case errc::malformed_json: return "malformed JSON";
      case errc::message_too_long: return "message too long";
      case errc::unexpected_answer: return "unexpected answer";
      case errc::no_outcome: return "the answer ended with neither a result nor an error";
      case errc::malformed_stream: return "malformed stream";
      case errc::malformed_http2: return "malformed HTTP/2";
      case errc::malformed_message: return "malformed message";
      case errc::bad_request: return "bad request";
      case errc::unauthorized: return "unauthorized";
      case errc::denied: return "denied";
      case errc::not_found: return "not found";
      case errc::not_acceptable: return "not supported by the service";
      case errc::conflict: return "conflict";
      case errc::service_failed: return "the service failed";
      case errc::refused: return "refused";
      case errc::version_too_old: return "the daemon and this library have no API version in common";
      case errc::build_failed: return "the build failed";
      case errc::operation_failed: return "the operation failed";
    }
    return "unknown error " + std::to_string(value);
  }
};

class kind_category final : public boost::system::error_category {
 public:
  constexpr kind_category() noexcept : boost::system::error_category(0x7e90d34b16ac58f2) {}

  const char* name() const noexcept override { return "dockline.condition"; }

  std::string message(int value) const override {
    switch (static_cast<condition>(value)) {
      case condition::cancelled: return "cancelled";
      case condition::timed_out: return "timed out";
      case condition::invalid_argument: return "invalid argument";
      case condition::bad_context: return "bad build context";
      case condition::unreachable: return "unreachable";
      case condition::not_found: return "not found";
      case condition::conflict: return "conflict";
      case condition::unauthorized: return "unauthorized";
      case condition::denied: return "denied";
      case condition::unsupported: return "unsupported";
      case condition::build_failed: return "build failed";
      case condition::service_failed: return "service failed";
      case condition::peer_misbehaved: return "peer misbehaved";
      case condition::bad_output: return "the result could not be written";
    }
    return "unknown condition " + std::to_string(value);
  }

  bool equivalent(const error_code& code, int value) const noexcept override {
    const auto kind = static_cast<condition>(value);
    if (code.category() == dockline::error_category())
      return kind_of(static_cast<errc>(code.value())) == kind;
    switch (kind) {
      case condition::cancelled: return code == boost::asio::error::operation_aborted;
      case condition::timed_out: return code == boost::asio::error::timed_out;
      case condition::unreachable:
        return code == boost::asio::error::connection_refused ||
               code == boost::asio::error::connection_reset || code == boost::asio::error::broken_pipe ||
               code == boost::asio::error::host_unreachable ||
               code == boost::asio::error::network_unreachable || code == boost::asio::error::eof;
      case condition::invalid_argument:
      case condition::bad_context:
      case condition::not_found:
      case condition::conflict:
      case condition::unauthorized:
      case condition::denied:
      case condition::unsupported:
      case condition::build_failed:
      case condition::service_failed:
      case condition::peer_misbehaved:
      case condition::bad_output: return false;
    }
    return false;
  }

 private:
  static condition kind_of(errc code) noexcept {
    switch (code) {
      case errc::invalid_argument:
      case errc::invalid_pattern:
      case errc::invalid_reference:
      case errc::invalid_address:
      case errc::no_such_directory:
      case errc::no_dockerfile:
      case errc::bad_configuration: return condition::invalid_argument;
      case errc::unsupported_parameter:
      case errc::not_acceptable:
      case errc::version_too_old: return condition::unsupported;
      case errc::unreadable_file:
      case errc::file_changed: return condition::bad_context;
      case errc::cannot_write: return condition::bad_output;
      case errc::cannot_connect:
      case errc::no_permission:
      case errc::tls_failed:
      case errc::connection_lost: return condition::unreachable;
      case errc::timed_out: return condition::timed_out;
      case errc::malformed_http:
      case errc::malformed_json:
      case errc::message_too_long:
      case errc::unexpected_answer:
      case errc::no_outcome:
      case errc::malformed_stream:
      case errc::malformed_http2:
      case errc::malformed_message: return condition::peer_misbehaved;
      case errc::bad_request: return condition::invalid_argument;
      case errc::no_credentials:
      case errc::token_refused:
      case errc::unauthorized: return condition::unauthorized;
      case errc::denied: return condition::denied;
      case errc::not_found: return condition::not_found;
      case errc::conflict: return condition::conflict;
      case errc::service_failed:
      case errc::refused:
      case errc::operation_failed: return condition::service_failed;
      case errc::build_failed: return condition::build_failed;
    }
    return condition::service_failed;
  }
};

constexpr library_category library_instance;
constexpr kind_category kind_instance;

}  // namespace

const boost::system::error_category& error_category() noexcept { return library_instance; }
const boost::system::error_category& condition_category() noexcept { return kind_instance; }

}  // namespace dockline
