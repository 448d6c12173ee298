#include "doctor_google.hpp"

namespace dockline::tool {

boost::asio::awaitable<error_code> look_at_google(boost::asio::any_io_executor, global_options,
                                                  google_question, std::vector<findings>&) {
  co_return error_code();
}

}  // namespace dockline::tool
