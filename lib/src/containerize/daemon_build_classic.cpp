// For a dockline that was built without BuildKit.

#include "containerize/daemon_build.hpp"

#include <memory>

namespace dockline::containerize {

task<std::string> build_on_daemon(daemon_build what, diagnostics& why) {
  if (what.builder == daemon_builder::buildkit) {
    why.set_client_message("this dockline was built without BuildKit (-Dbuildkit=enabled)");
    co_return errc::unsupported_parameter;
  }
  what.options.dockerfile = what.context.dockerfile_name();
  std::shared_ptr<byte_source> packed = what.context.with_mode(archive::ignore_mode::classic).pack();
  auto [code, image] = co_await engine::async_build(what.daemon, std::move(packed), std::move(what.options),
                                                    std::move(what.on_event), why, unless_cancelled);
  if (code) co_return code;
  co_return "classic";
}

}  // namespace dockline::containerize
