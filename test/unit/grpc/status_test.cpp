#include "grpc/status.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <string>

namespace dockline::grpc {

TEST_SUITE("grpc/status") {
  TEST_CASE("a message goes as printable ASCII and comes back as it was") {
    CHECK(encode_message("plain words, 1 of 2") == "plain words, 1 of 2");
    CHECK(encode_message("100%\n\xc3\xa9") == "100%25%0A%C3%A9");
    CHECK(decode_message("100%25%0a%C3%A9") == "100%\n\xc3\xa9");
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    CHECK(decode_message(encode_message(all)) == all);
  }

  TEST_CASE("what is no escape stays as it is") {
    for (const char* text : {"%", "%4", "100% sure", "%zz", "a%2", "%%"}) CHECK(decode_message(text) == text);
    CHECK(decode_message("%%41") == "%A");
  }

  TEST_CASE("codes by number and by name") {
    CHECK(parse_status_code("0") == status_code::ok);
    CHECK(parse_status_code("16") == status_code::unauthenticated);
    for (const char* text : {"", "17", "-1", "5x", "x", "99999999999999"})
      CHECK(parse_status_code(text) == status_code::unknown);
    CHECK(name_of(status_code::not_found) == "NotFound");
  }

  TEST_CASE("errors of ours have their code") {
    CHECK(status_of(error_code()).ok());
    CHECK(status_of(errc::not_found).code == status_code::not_found);
    CHECK(status_of(errc::not_found).message == "not found");
    CHECK(status_of(errc::not_found, "no such secret").message == "no such secret");
    CHECK(status_of(errc::message_too_long).code == status_code::resource_exhausted);
    CHECK(status_of(errc::malformed_message).code == status_code::internal);
    CHECK(status_of(errc::unsupported_parameter).code == status_code::unimplemented);
    CHECK(status_of(boost::asio::error::operation_aborted).code == status_code::cancelled);
    CHECK(status_of(errc::file_changed).code == status_code::unknown);
  }
}

}  // namespace dockline::grpc
