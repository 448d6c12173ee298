#include "dockline/core/make_stream.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace dockline {

bool is_quiet_socket(int descriptor) noexcept {
  char byte = 0;
  return ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace dockline
