#pragma once

#include <string>
#include <string_view>

namespace dockline::tool {

// SIGINT and SIGTERM end a write that waits for its reader, which no event loop can. For as long as it lives, the
// handlers of those signals stand behind this one.
class interruptible_writes {
 public:
  interruptible_writes();
  interruptible_writes(const interruptible_writes&) = delete;
  interruptible_writes& operator=(const interruptible_writes&) = delete;
  ~interruptible_writes();

  // Whether one of the signals came.
  static bool interrupted() noexcept;
};

// Writes all of the bytes, on whatever thread. False when that failed, with errno: EINTR when one of those signals
// came and nobody reads. Whoever reads still gets all.
bool write_all(int descriptor, std::string_view bytes);

// What a person is told of such an errno.
std::string words_of_failed_write(int number);

}  // namespace dockline::tool
