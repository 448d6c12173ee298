#pragma once

// Secrets of a build: what `RUN --mount=type=secret,id=ID` sees, and nothing of the image or its history.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline {
class diagnostics;
}

namespace dockline::buildkit {

// The largest secret that BuildKit takes.
inline constexpr std::size_t longest_secret = 500 * 1024;

// One secret: its id, and where its value is. A value in memory is shared by the copies of this object and
// overwritten when the last one goes; a file is read at each time that the daemon asks for it, and what was
// read is overwritten once it is sent. No event, error or warning holds a value.
class DOCKLINE_API secret {
 public:
  secret() = default;

  // The value is what the file holds when a step of the build mounts it.
  static secret from_file(std::string id, std::string path);
  // `value` is taken over; it may hold any bytes.
  static secret from_memory(std::string id, std::string value);
  // The value that the environment variable has now.
  // Errors: errc::invalid_argument when it is not set; `why` names it, and the secret.
  static result<secret> from_environment(std::string id, const std::string& variable, diagnostics& why);

  // By what RUN asks for it.
  const std::string& id() const noexcept { return id_; }
  // Empty for a value in memory.
  const std::string& path() const noexcept { return path_; }
  // Null for a file.
  const std::string* value() const noexcept;

 private:
  struct held;

  std::string id_;
  std::string path_;
  std::shared_ptr<const held> value_;
};

// Reads a secret as `docker build --secret` has it: "id=ID,src=FILE" ("source" is the same),
// "id=ID,env=NAME", "id=ID,type=env,src=NAME"; with the id alone, the environment variable of that name if
// there is one, else the file. Reads the environment, and no file.
// Errors: errc::invalid_argument; `why` names the part that cannot be read.
DOCKLINE_API result<secret> parse_secret(std::string_view text, diagnostics& why);

// Whether a build could go on with these: each has an id and no two have the same, files are there, can be
// read and are not longer than longest_secret. Waits for the disk.
// Errors: errc::invalid_argument; `why` names the secret and the file.
DOCKLINE_API result<void> check_secrets(const std::vector<secret>& secrets, diagnostics& why);

}  // namespace dockline::buildkit
