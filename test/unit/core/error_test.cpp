#include "dockline/core/error.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

namespace dockline {

TEST_SUITE("core/error") {
  TEST_CASE("a code is of the library's category and has a message") {
    const error_code code = errc::not_found;
    CHECK(code.category() == error_category());
    CHECK(code.message() == "not found");
    CHECK(std::string(code.category().name()) == "dockline");
  }

  TEST_CASE("a condition matches every code of its kind and no other") {
    CHECK(error_code(errc::no_dockerfile) == condition::invalid_argument);
    CHECK(error_code(errc::no_permission) == condition::unreachable);
    CHECK(error_code(errc::no_outcome) == condition::peer_misbehaved);
    CHECK(error_code(errc::not_found) != condition::conflict);
    CHECK(error_code() != condition::cancelled);
  }

  TEST_CASE("codes of Asio and of the system have their condition too") {
    CHECK(error_code(boost::asio::error::operation_aborted) == condition::cancelled);
    CHECK(error_code(boost::asio::error::connection_refused) == condition::unreachable);
    CHECK(error_code(boost::asio::error::eof) == condition::unreachable);
    CHECK(error_code(boost::asio::error::eof) != condition::timed_out);
  }
}

}  // namespace dockline
