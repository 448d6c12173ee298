#include "dockline/core/diagnostics.hpp"

#include <utility>

namespace dockline {
namespace {

// "step 3/7 RUN make: exit code 2: the builder's words", the parts that are unknown left out.
std::string describe(const failed_step& step) {
  std::string text;
  if (step.index > 0) {
    text = "step " + std::to_string(step.index);
    if (step.total > 0) text += "/" + std::to_string(step.total);
  }
  if (!step.instruction.empty()) {
    if (!text.empty()) text += ' ';
    text += step.instruction;
  }
  if (step.exit_code) {
    if (!text.empty()) text += ": ";
    text += "exit code " + std::to_string(*step.exit_code);
  }
  if (!step.reason.empty()) {
    if (!text.empty()) text += ": ";
    text += step.reason;
  }
  return text;
}

}  // namespace

void diagnostics::clear() noexcept {
  client_message_.clear();
  server_message_.clear();
  step_.reset();
}

std::string describe(error_code code, const diagnostics& why) {
  std::string text;
  if (const failed_step* step = why.step()) text = describe(*step);
  if (text.empty()) {
    text = why.client_message();
    if (!why.server_message().empty()) {
      if (!text.empty()) text += ": ";
      text += why.server_message();
    }
  }
  return text.empty() ? code.message() : text;
}

error_with_diagnostics::error_with_diagnostics(error_code code, diagnostics why)
    : boost::system::system_error(code), why_(std::move(why)), text_(describe(code, why_)) {}

}  // namespace dockline
