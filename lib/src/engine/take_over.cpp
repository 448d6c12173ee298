#include "engine/take_over.hpp"

#include "dockline/core/diagnostics.hpp"

#include "engine/client_state.hpp"

#include <utility>

namespace dockline::engine {

task<taken_connection> take_over_connection(std::shared_ptr<client_state> state, endpoint what,
                                            diagnostics& why) {
  auto over = co_await state->open(std::move(what), nullptr, why);
  if (!over) co_return over.error();
  if ((*over)->head().status != 101) {
    why.set_client_message("the daemon does not hand over the connection: status " +
                           std::to_string((*over)->head().status));
    co_return errc::unexpected_answer;
  }
  taken_connection taken;
  taken.connection = co_await (*over)->upgrade(taken.early);
  co_return taken;
}

}  // namespace dockline::engine
