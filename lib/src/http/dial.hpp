#pragma once

#include "dockline/core/stream.hpp"
#include "dockline/http/address.hpp"
#include "dockline/http/tls_options.hpp"

#include "core/spawn.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace dockline::http {

class tls_context;

// Makes one connection; a `deadline` of zero is none. Whoever calls it keeps it until it is done.
using dialer =
    std::function<task<std::unique_ptr<stream>>(std::chrono::milliseconds deadline, diagnostics& why)>;

// The way to `where`; its streams work on `executor`. TLS counts for TCP.
// Errors: errc::invalid_argument when a file of `tls` cannot be used.
result<dialer> make_dialer(asio::any_io_executor executor, const address& where, const tls_options& tls,
                           diagnostics& why);

// "build.example:2376", "[::1]:2375": what the Host field says; empty where the other side has no name of that kind.
std::string authority_of(const address& where, bool tls);

// One file each. `called` is what the words call the other side when it is not a daemon. Errors:
// errc::cannot_connect, errc::no_permission, errc::tls_failed, errc::timed_out, with address, reason and cure
// in `why`.
task<std::unique_ptr<stream>> dial_unix(asio::any_io_executor executor, address where,
                                        std::chrono::milliseconds deadline, diagnostics& why);
task<std::unique_ptr<stream>> dial_tcp(asio::any_io_executor executor, address where,
                                       std::chrono::milliseconds deadline, diagnostics& why,
                                       std::string called = {});
task<std::unique_ptr<stream>> dial_tls(asio::any_io_executor executor, address where,
                                       std::shared_ptr<const tls_context> context,
                                       std::chrono::milliseconds deadline, diagnostics& why,
                                       std::string called = {});
task<std::unique_ptr<stream>> dial_ssh(asio::any_io_executor executor, address where,
                                       std::chrono::milliseconds deadline, diagnostics& why);

// "cannot connect to the daemon at tcp://…: ", or "cannot connect to CALLED: "
std::string cannot_connect_to(const address& where, const std::string& called = {});
// What a deadline that has passed says.
error_code too_late(const address& where, std::chrono::milliseconds deadline, diagnostics& why,
                    const std::string& called = {});

}  // namespace dockline::http
