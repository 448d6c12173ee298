// Whatever a daemon answers to a push, pull, load or import: renderers write whole lines without a control
// character, an outcome is told, and results only with success. The first byte chooses the operation.

#include "dockline/progress/json_renderer.hpp"
#include "dockline/progress/plain_renderer.hpp"

#include "core/json.hpp"
#include "http/json_lines.hpp"
#include "progress/transfer_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

namespace {

using namespace dockline;
using namespace dockline::progress;

void require(bool truth) {
  if (!truth) std::abort();
}

void check_text(std::string_view lines) {
  require(lines.ends_with('\n'));
  for (const char letter : lines) {
    const auto byte = static_cast<unsigned char>(letter);
    require((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto kind = static_cast<transfer>(data[0] % 4);
  plain_renderer plain(check_text);
  json_renderer lines_of_json([](std::string_view line) { require(json::parse(line).has_value()); });
  bool results = false;
  transfer_messages messages(kind, [&](const event& what) {
    results = results || std::holds_alternative<transfer_finished>(what.body) ||
              std::holds_alternative<image_loaded>(what.body);
    plain.show(what);
    lines_of_json.show(what);
  });
  http::json_lines lines;
  lines.feed({reinterpret_cast<const char*>(data) + 1, size - 1});
  for (;;) {
    const auto message = lines.next();
    if (!message || !*message) break;
    if (messages.add(**message, {})) return 0;
    require(!results);
  }
  const error_code code = messages.finish({});
  plain.finish();
  require(static_cast<bool>(code) != results);
  require(!code || (messages.digest().empty() && messages.images().empty()));
  require(messages.failure_words().empty() || code);
  require(messages.digest().empty() || messages.digest().size() == 7 + 64);
  return 0;
}
