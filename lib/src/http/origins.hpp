#pragma once

#include "http/client.hpp"
#include "http/proxy.hpp"
#include "http/tls_session.hpp"
#include "http/url.hpp"

#include <map>
#include <memory>
#include <string>

namespace dockline::http {

// Kept connections to services on the web, by their origin. Everything runs on `executor`, one strand.
class origins {
 public:
  origins(asio::any_io_executor executor, proxy_variables proxies, tls_options tls);

  // Sends what `request` says to where `where` is; the head's target and Host are set here.
  // Errors: errc::cannot_connect, errc::tls_failed, errc::timed_out with the origin and the reason; those of
  // client::start.
  task<std::unique_ptr<exchange>> start(url where, request what, deadlines limits, diagnostics& why);

  // Keeps the connection of an exchange with `where` that is done.
  void give_back(const url& where, exchange& over);

 private:
  result<client*> client_of(const url& where, diagnostics& why);

  asio::any_io_executor executor_;
  proxy_variables proxies_;
  tls_options tls_;
  std::shared_ptr<const tls_context> context_;  // once it was needed
  std::map<std::string, client> clients_;
};

}  // namespace dockline::http
