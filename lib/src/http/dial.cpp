#include "http/dial.hpp"

#include "dockline/core/diagnostics.hpp"

#include "http/tls_session.hpp"

#include <utility>

namespace dockline::http {

std::string cannot_connect_to(const address& where, const std::string& called) {
  return "cannot connect to " + (called.empty() ? "the daemon at " + to_string(where) : called) + ": ";
}

error_code too_late(const address& where, std::chrono::milliseconds deadline, diagnostics& why,
                    const std::string& called) {
  why.set_client_message(cannot_connect_to(where, called) + "no answer in " +
                         std::to_string(deadline.count()) + " ms");
  return errc::timed_out;
}

namespace {

std::uint16_t port_of(const address& where, bool tls) {
  if (where.port != 0) return where.port;
  return tls ? 2376 : 2375;
}

}  // namespace

std::string authority_of(const address& where, bool tls) {
  if (where.over != transport::tcp) return {};
  const bool is_v6 = where.host.find(':') != where.host.npos;
  // Which interface leads to it means something on this machine only.
  const std::string host = is_v6 ? '[' + where.host.substr(0, where.host.find('%')) + ']' : where.host;
  return host + ':' + std::to_string(port_of(where, tls));
}

result<dialer> make_dialer(asio::any_io_executor executor, const address& where, const tls_options& tls,
                           diagnostics& why) {
  switch (where.over) {
    case transport::unix_socket:
      return dialer([executor, where](std::chrono::milliseconds deadline, diagnostics& words) {
        return dial_unix(executor, where, deadline, words);
      });
    case transport::tcp: {
      address there = where;
      there.port = port_of(where, tls.enabled);
      if (!tls.enabled) {
        return dialer([executor, there](std::chrono::milliseconds deadline, diagnostics& words) {
          return dial_tcp(executor, there, deadline, words);
        });
      }
      auto context = tls_context::make(tls, why);
      if (!context) return context.error();
      return dialer(
          [executor, there, context = *context](std::chrono::milliseconds deadline, diagnostics& words) {
            return dial_tls(executor, there, context, deadline, words);
          });
    }
    case transport::ssh:
      return dialer([executor, where](std::chrono::milliseconds deadline, diagnostics& words) {
        return dial_ssh(executor, where, deadline, words);
      });
  }
  return errc::invalid_address;
}

}  // namespace dockline::http
