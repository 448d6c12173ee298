#pragma once

// The words that go with an error code: what this library has to say, what the other side said, and, for a
// failed build, the step that failed.

#include "dockline/core/error.hpp"
#include "dockline/core/export.hpp"

#include <boost/system/system_error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dockline {

// The step at which a build failed. Whatever the builder did not tell is empty.
struct failed_step {
  failed_step() = default;

  int index = 0;                 // 1 for the first step, 0 when unknown
  int total = 0;                 // of how many, 0 when unknown
  std::string instruction;       // as written in the Dockerfile: "RUN make -j2"
  std::optional<int> exit_code;  // of the command, when it ran
  std::string reason;            // in the builder's words
  std::string log_tail;          // the last lines that the step wrote, '\n' after each
  std::string file;              // the Dockerfile's name, when it is known where in it the step is
  int first_line = 0;            // of the instruction there, counted from 1; 0 when unknown
  int last_line = 0;             // at least `first_line`
  std::string excerpt;           // those lines and some around them, numbered and marked, '\n' after each
};

// Filled by an operation that fails, emptied by one that starts. Text of ours and text of the other side are
// kept apart: the latter comes from outside and is shown, never interpreted.
class DOCKLINE_API diagnostics {
 public:
  diagnostics() = default;

  // What this library adds: the path, the option, the address, the cure. Empty when there is nothing to add.
  const std::string& client_message() const noexcept { return client_message_; }
  // What the daemon or service said, unchanged. Empty when it said nothing.
  const std::string& server_message() const noexcept { return server_message_; }
  // Where a build failed; null for every other failure.
  const failed_step* step() const noexcept { return step_ ? &*step_ : nullptr; }

  // Whether there is nothing to say.
  bool empty() const noexcept { return client_message_.empty() && server_message_.empty() && !step_; }
  // Forgets everything, as each operation does when it starts.
  void clear() noexcept;

  // Sets what client_message() gives. These three are for those who implement streams, sources or builders.
  void set_client_message(std::string text) { client_message_ = std::move(text); }
  // Sets what server_message() gives.
  void set_server_message(std::string text) { server_message_ = std::move(text); }
  // Sets what step() gives.
  void set_step(failed_step step) { step_ = std::move(step); }

 private:
  std::string client_message_;
  std::string server_message_;
  std::optional<failed_step> step_;
};

// One line for people, without a final newline: the step's "step 3/7 RUN make: exit code 2: …" where there is
// one, else our words and the other side's, else what the code says by itself.
DOCKLINE_API std::string describe(error_code code, const diagnostics& why);

// What `co_await` of an operation throws when no diagnostics were given to it: the code, and the diagnostics.
// what() is describe(code(), why()).
class DOCKLINE_API error_with_diagnostics : public boost::system::system_error {
 public:
  // Makes the text of what() at once.
  error_with_diagnostics(error_code code, diagnostics why);

  // The words that go with code().
  const diagnostics& why() const noexcept { return why_; }
  // describe(code(), why()).
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  diagnostics why_;
  std::string text_;
};

}  // namespace dockline
