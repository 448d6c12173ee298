// What is shown of requests and answers, and that nothing secret is.

#include "http/exchange_log.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace dockline::http {
namespace {

std::string shown_line(const std::string& target) {
  const std::string shown = shown_request("GET " + target + " HTTP/1.1\r\n\r\n");
  REQUIRE(shown.starts_with("GET "));
  REQUIRE(shown.ends_with(" HTTP/1.1\n"));
  return shown.substr(4, shown.size() - 4 - 10);
}

}  // namespace

TEST_SUITE("http/exchange_log") {
  TEST_CASE("a request: its line and its fields, the values of unknown ones masked") {
    CHECK(shown_request(
              "POST /v1.41/images/a/push?tag=v1 HTTP/1.1\r\nHost: docker\r\nUser-Agent: dockline/0.1\r\n"
              "X-Registry-Auth: c2VjcmV0\r\nx-registry-config: c2VjcmV0\r\nAuthorization: Basic c2VjcmV0\r\n"
              "X-Own-Token: secret\r\nCookie: a=secret\r\nX-Docker-Expose-Session-Uuid: 17\r\n"
              "Content-Length: 0\r\n\r\n") ==
          "POST /v1.41/images/a/push?tag=v1 HTTP/1.1\nHost: docker\nUser-Agent: dockline/0.1\n"
          "X-Registry-Auth: ***\nx-registry-config: ***\nAuthorization: ***\nX-Own-Token: ***\nCookie: ***\n"
          "X-Docker-Expose-Session-Uuid: 17\nContent-Length: 0\n");
  }

  TEST_CASE("what hides nothing is shown as it goes out") {
    for (const std::string target :
         {"/_ping", "/v1.41/build?", "/v1.41/build?t=a%3A1&t=b%2Fc%3A2&q",
          "/x?filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%7D%7D",
          "/x?fromImage=127.0.0.1%3A5000%2Fa%40sha256%3A0123",
          "/x?buildargs=%7B%22A%22%3A%221%22%2C%22B%22%3Anull%7D",
          "/x?extrahosts=h%3A1.2.3.4&message=somebody+%40+work", "/x?a=%", "/x?a=%zz%4"}) {
      CAPTURE(target);
      CHECK(shown_line(target) == target);
    }
  }

  TEST_CASE("passwords in addresses, wherever they stand") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"/x?remote=https%3A%2F%2Fuser%3Asecret%40host%2Fa.git%23main",
         "/x?remote=https%3A%2F%2F%2A%2A%2A%40host%2Fa.git%23main"},
        {"/x?remote=https%3A%2F%2Fsecret%40host%2Fa.git", "/x?remote=https%3A%2F%2F%2A%2A%2A%40host%2Fa.git"},
        {"/x?remote=https://user:secret@host/a.git", "/x?remote=https%3A%2F%2F%2A%2A%2A%40host%2Fa.git"},
        // Passwords that should have been escaped: with an '@', with a slash.
        {"/x?remote=http%3A%2F%2Fuser%3Asec%40ret%40host", "/x?remote=http%3A%2F%2F%2A%2A%2A%40host"},
        {"/x?remote=http%3A%2F%2Fuser%3Asec%2Fret%40host", "/x?remote=http%3A%2F%2F%2A%2A%2A%40host"},
        {"/x?a=user%3Asecret%40proxy%3A3128", "/x?a=%2A%2A%2A%40proxy%3A3128"},
        {"/x?a=1+http%3A%2F%2Fu%3Asecret%40h+http%3A%2F%2Fv%3Asecret%40i+2",
         "/x?a=1+http%3A%2F%2F%2A%2A%2A%40h+http%3A%2F%2F%2A%2A%2A%40i+2"},
    };
    for (const auto& [target, expected] : cases) {
      CAPTURE(target);
      CHECK(shown_line(target) == expected);
    }
  }

  TEST_CASE(
      "build arguments: proxies without their passwords, and those that are called a secret not at all") {
    const std::string shown = shown_line(
        "/x?buildargs=%7B%22HTTP_PROXY%22%3A%22http%3A%2F%2Fu%3Asecret%40p%3A1%22%2C%22NPM_TOKEN%22%3A%"
        "22secret%22%2C"
        "%22dbPassword%22%3A%22secret%22%2C%22PLAIN%22%3A%22value%22%2C%22NONE%22%3Anull%7D&t=a");
    CHECK(shown ==
          "/x?buildargs=%7B%22HTTP_PROXY%22%3A%22http%3A%2F%2F%2A%2A%2A%40p%3A1%22%2C%22NPM_TOKEN%22%3A%22%"
          "2A%2A%2A%22%2C"
          "%22dbPassword%22%3A%22%2A%2A%2A%22%2C%22PLAIN%22%3A%22value%22%2C%22NONE%22%3Anull%7D&t=a");
    CHECK(shown_line("/x?buildargs=secret") == "/x?buildargs=%2A%2A%2A");
    CHECK(shown_line("/x?buildargs=%5B%22secret%22%5D") == "/x?buildargs=%2A%2A%2A");
  }

  TEST_CASE("an answer: its line and its fields") {
    response_head head;
    head.status = 302;
    head.reason = "Found";
    head.fields = {
        {"Api-Version", "1.41"}, {"Set-Cookie", "a=secret"}, {"Location", "http://u:secret@host/"}};
    CHECK(shown_answer(head) ==
          "HTTP/1.1 302 Found\nApi-Version: 1.41\nSet-Cookie: ***\nLocation: http://***@host/\n");
  }

  TEST_CASE("a session of an upload is nobody else's") {
    CHECK(shown_line("/upload/storage/v1/b/box/o?uploadType=resumable&name=a%2Fb&upload_id=ABPsecret") ==
          "/upload/storage/v1/b/box/o?uploadType=resumable&name=a%2Fb&upload_id=%2A%2A%2A");
    CHECK(shown_line("/o?access_token=secret&alt=json") == "/o?access_token=%2A%2A%2A&alt=json");
    response_head head;
    head.status = 200;
    head.reason = "OK";
    head.fields = {{"X-GUploader-UploadID", "ABPsecret"},
                   {"Location", "https://storage.example/o?name=a&upload_id=ABPsecret"}};
    CHECK(shown_answer(head) ==
          "HTTP/1.1 200 OK\nX-GUploader-UploadID: ***\n"
          "Location: https://storage.example/o?name=a&upload_id=%2A%2A%2A\n");
  }

  TEST_CASE("each exchange is over once, and without an observer nothing happens") {
    std::vector<exchange_event> seen;
    exchange_log log([&](const exchange_event& what) { seen.push_back(what); }, 7);
    log.request("GET / HTTP/1.1\r\nHost: docker\r\n\r\n");
    log.answer(response_head(), 3, 4);
    log.over({}, 5, 6);
    log.over(errc::timed_out, 7, 8);
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].phase == exchange_phase::request);
    CHECK(seen[0].number == 7);
    CHECK(seen[1].phase == exchange_phase::answer);
    CHECK(seen[1].sent == 3);
    CHECK(seen[2].phase == exchange_phase::over);
    CHECK(seen[2].received == 6);
    CHECK_FALSE(seen[2].outcome);
    CHECK(seen[2].head.empty());

    exchange_log none;
    none.request("GET / HTTP/1.1\r\n\r\n");
    none.over({}, 0, 0);
  }
}

}  // namespace dockline::http
