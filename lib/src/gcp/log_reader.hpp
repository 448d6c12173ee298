#pragma once

#include "gcp/build_log.hpp"
#include "gcp/client_state.hpp"
#include "gcp/cloud_build_requests.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace dockline::gcp {

// Reads the log object of a build as it grows, from where it left off, byte for byte.
class log_reader {
 public:
  log_reader(std::shared_ptr<client_state> state, log_place place, build_log& into)
      : state_(std::move(state)), place_(std::move(place)), into_(into) {}

  // What there is of it now. `last`: the build is over, and what fails for a moment is tried again. Errors:
  // operation_aborted alone; a log that cannot be read is told by problem().
  task<void> read(bool last);

  // Why there is no log, or not all of it; empty when there is.
  const std::string& problem() const noexcept { return problem_; }

 private:
  enum class outcome { complete, not_there, broken, hopeless };

  task<outcome> read_once(diagnostics& why);

  std::shared_ptr<client_state> state_;
  log_place place_;
  build_log& into_;
  std::uint64_t position_ = 0;
  bool given_up_ = false;
  std::string problem_;
};

}  // namespace dockline::gcp
