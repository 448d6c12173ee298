#include "core/spawn.hpp"

#include <boost/system/system_error.hpp>

#include <system_error>

namespace dockline {

error_code code_of(std::exception_ptr failure) noexcept {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const boost::system::system_error& thrown) {
    return thrown.code();
  } catch (const std::system_error& thrown) {
    return thrown.code();
  } catch (const std::bad_alloc&) {
    return make_error_code(boost::system::errc::not_enough_memory);
  } catch (...) {
    return make_error_code(boost::system::errc::state_not_recoverable);
  }
}

}  // namespace dockline
