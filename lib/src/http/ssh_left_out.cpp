// In place of dial_ssh.cpp where Meson was told -Dssh=disabled.

#include "dockline/core/diagnostics.hpp"

#include "http/dial.hpp"

namespace dockline::http {

task<std::unique_ptr<stream>> dial_ssh(asio::any_io_executor, address where, std::chrono::milliseconds,
                                       diagnostics& why) {
  why.set_client_message(cannot_connect_to(where) + "this dockline was built without ssh");
  co_return errc::cannot_connect;
}

}  // namespace dockline::http
