#include "exchange_lines.hpp"

#include <dockline/progress/printable.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string_view>

namespace dockline::tool {

std::string exchange_lines(const http::exchange_event& what) {
  const double elapsed = std::chrono::duration<double, std::milli>(what.elapsed).count();
  std::string text;
  const auto add = [&](char sign, std::string_view line, std::string_view more = {}) {
    text += fmt::format("debug: #{} {} {}{}\n", what.number, sign, progress::printable(line), more);
  };
  switch (what.phase) {
    case http::exchange_phase::request:
    case http::exchange_phase::answer: {
      const bool answer = what.phase == http::exchange_phase::answer;
      std::string more = answer ? fmt::format(" (after {:.1f} ms)", elapsed) : std::string();
      for (std::string_view rest = what.head; !rest.empty(); more.clear()) {
        const std::size_t end = rest.find('\n');
        add(answer ? '<' : '>', rest.substr(0, end), more);
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
      }
      break;
    }
    case http::exchange_phase::over:
      add('=',
          fmt::format("over after {:.1f} ms; bodies: {} bytes sent, {} received", elapsed, what.sent,
                      what.received),
          what.outcome ? "; " + what.outcome.message() : std::string());
      break;
  }
  return text;
}

}  // namespace dockline::tool
