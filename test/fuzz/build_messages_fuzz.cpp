// Whatever a daemon answers: events are in order (a step is started before anything else of it, and ends
// once), renderers write whole lines without a control character, and an outcome is told.

#include "dockline/progress/json_renderer.hpp"
#include "dockline/progress/plain_renderer.hpp"

#include "core/json.hpp"
#include "http/json_lines.hpp"
#include "progress/build_messages.hpp"

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

// At most one step at a time is open.
class order_check {
 public:
  void operator()(const context_progress&) { require(false); }
  void operator()(const step_started& what) {
    require(open_ == 0 && what.index > 0 && what.total >= 0);
    open_ = what.index;
  }
  void operator()(const step_cached& what) { require(what.index == open_); }
  void operator()(const step_finished& what) { end(what.index); }
  void operator()(const step_failed& what) { end(what.index); }
  void operator()(const step_log& what) { require(what.index == open_ && !what.bytes.empty()); }
  void operator()(const layer_progress&) {}
  void operator()(const transfer_finished&) { require(false); }
  void operator()(const warning&) {}
  void operator()(const image_built& what) { require(open_ == 0 && what.id.starts_with("sha256:")); }
  void operator()(const image_tagged&) { require(open_ == 0); }
  void operator()(const image_loaded&) { require(false); }
  void operator()(const step_status&) { require(false); }
  void operator()(const builder_chosen&) { require(false); }

 private:
  void end(int index) {
    require(index > 0 && index == open_);
    open_ = 0;
  }

  int open_ = 0;
};

void check_text(std::string_view lines) {
  require(lines.ends_with('\n'));
  for (const char letter : lines) {
    const auto byte = static_cast<unsigned char>(letter);
    require((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  plain_renderer plain(check_text);
  json_renderer lines_of_json([](std::string_view line) { require(json::parse(line).has_value()); });
  order_check order;
  build_messages messages([&](const event& what) {
    std::visit(order, what.body);
    plain.show(what);
    lines_of_json.show(what);
  });
  http::json_lines lines;
  lines.feed({reinterpret_cast<const char*>(data), size});
  for (;;) {
    const auto message = lines.next();
    if (!message || !*message) break;
    if (messages.add(**message, {})) return 0;
  }
  const error_code code = messages.finish({});
  plain.finish();
  require((code == errc::build_failed) == (messages.failure() != nullptr));
  require(static_cast<bool>(code) == messages.image_id().empty());
  if (const failed_step* step = messages.failure())
    require(step->log_tail.empty() || step->log_tail.ends_with('\n'));
  return 0;
}
