// Whatever a daemon tells of a build: a step is started before anything else of it, ends at most once for
// each start, and at the end none is open.

#include "dockline/progress/plain_renderer.hpp"
#include "dockline/progress/terminal_renderer.hpp"

#include "buildkit/trace.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>
#include <variant>

namespace {

using namespace dockline;
using namespace dockline::progress;

void require(bool truth) {
  if (!truth) std::abort();
}

class order_check {
 public:
  void operator()(const step_started& what) {
    require(what.index > 0 && what.total >= 0);
    known_.insert(what.index);
    require(open_.insert(what.index).second);
  }
  void operator()(const step_cached& what) { require(open_.count(what.index) == 1); }
  void operator()(const step_finished& what) { require(open_.erase(what.index) == 1); }
  void operator()(const step_failed& what) { require(open_.erase(what.index) == 1); }
  void operator()(const step_log& what) {
    require(!what.bytes.empty() && (what.index == 0 || known_.count(what.index) == 1));
  }
  void operator()(const step_status& what) { require(known_.count(what.index) == 1); }
  void operator()(const warning& what) { require(what.index >= 0 && what.last_line >= what.first_line); }
  template <class Other>
  void operator()(const Other&) {
    require(false);
  }
  void end() { require(open_.empty()); }

 private:
  std::set<int> open_;
  std::set<int> known_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  order_check order;
  plain_renderer plain([](std::string_view lines) { require(lines.ends_with('\n')); });
  terminal_renderer drawn(terminal_options{});
  buildkit::trace told([&](const event& what) {
    std::visit(order, what.body);
    plain.show(what);
    drawn.show(what);
  });
  std::string_view input(reinterpret_cast<const char*>(data), size);
  event_time now(std::chrono::seconds(1'790'000'000));
  while (!input.empty()) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(input.front()));
    const std::string_view message = input.substr(1, length);
    input.remove_prefix(1 + message.size());
    now += std::chrono::milliseconds(length);
    if (told.add(message, now)) break;
    (void)drawn.tick(now);
  }
  told.finish(now, size % 2 == 1);
  order.end();
  plain.finish();
  (void)drawn.finish(now, {});
  return 0;
}
