#include "gcp/jwt.hpp"

#include "core/encoding.hpp"
#include "gcp/credential_source.hpp"
#include "unit/gcp/test_key.hpp"

#include <doctest/doctest.h>

namespace dockline::gcp {
namespace {

const clock_time signed_at = clock_time(std::chrono::seconds(1'700'000'000)) + std::chrono::milliseconds(900);

service_account account() {
  service_account who;
  who.email = "build@p1.iam.gserviceaccount.com";
  who.private_key = key_for_tests().pem;
  who.key_id = "kid1";
  who.token_url = "https://token.example/t";
  return who;
}

struct parts {
  std::string header, claims;
};

parts open(const std::string& jwt) {
  const std::size_t first = jwt.find('.');
  const std::size_t second = jwt.find('.', first + 1);
  REQUIRE(second != std::string::npos);
  CHECK(jwt.find('=') == std::string::npos);
  const auto signature = decode_base64url(jwt.substr(second + 1));
  REQUIRE(signature);
  CHECK(key_for_tests().signed_this(jwt.substr(0, second), *signature));
  parts found;
  found.header = decode_base64url(jwt.substr(0, first)).value();
  found.claims = decode_base64url(jwt.substr(first + 1, second - first - 1)).value();
  return found;
}

}  // namespace

TEST_SUITE("gcp/jwt") {
  TEST_CASE("an assertion: for the token's server, for an hour") {
    const auto jwt = make_assertion(account(), "https://scope.example/a", signed_at);
    REQUIRE(jwt.has_value());
    const parts text = open(*jwt);
    CHECK(text.header == R"({"alg":"RS256","typ":"JWT","kid":"kid1"})");
    CHECK(text.claims == R"({"iss":"build@p1.iam.gserviceaccount.com","aud":"https://token.example/t",)"
                         R"("scope":"https://scope.example/a","iat":1700000000,"exp":1700003600})");
  }

  TEST_CASE("a token of one's own: no audience, but a subject") {
    service_account who = account();
    who.key_id.clear();
    const auto jwt = make_own_token(who, "s1 s2", signed_at);
    REQUIRE(jwt.has_value());
    const parts text = open(*jwt);
    CHECK(text.header == R"({"alg":"RS256","typ":"JWT"})");
    CHECK(text.claims ==
          R"({"iss":"build@p1.iam.gserviceaccount.com","sub":"build@p1.iam.gserviceaccount.com",)"
          R"("scope":"s1 s2","iat":1700000000,"exp":1700003600})");
  }

  TEST_CASE("what is no key") {
    CHECK(is_signing_key(key_for_tests().pem));
    CHECK_FALSE(is_signing_key(""));
    CHECK_FALSE(is_signing_key("-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n"));
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> other(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PKCS8PrivateKey(out.get(), other.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    CHECK_FALSE(is_signing_key(std::string_view(text, static_cast<std::size_t>(size))));
    service_account who = account();
    who.private_key = "x";
    CHECK(make_own_token(who, "s", signed_at).error() == errc::bad_configuration);
  }
}

}  // namespace dockline::gcp
