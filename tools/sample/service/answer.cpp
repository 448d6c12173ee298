#include "answer.hpp"

#include "json.hpp"
#include "no_throw.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

namespace sample {
namespace {

constexpr std::chrono::seconds longest_request(30);
constexpr std::chrono::seconds longest_farewell(2);
constexpr std::uint64_t longest_body = 64 * 1024;

// Closing a socket while something in it is unread resets the connection, and the reset may overtake the
// answer. So the rest of a request that was refused is read, for a moment.
asio::awaitable<void> take_leave(beast::tcp_stream& client) {
  boost::system::error_code failed;
  client.socket().shutdown(asio::ip::tcp::socket::shutdown_send, failed);
  client.expires_after(longest_farewell);  // for all of the reads together
  std::array<char, 4096> ignored;
  while (!failed) {
    const auto [code, size] = co_await client.async_read_some(asio::buffer(ignored), no_throw);
    failed = code;
  }
}

}  // namespace

reply refusal(http::status status, std::string_view message) { return {status, message_json(message)}; }

reply wrong_method(std::string allow) {
  reply made = refusal(http::status::method_not_allowed, "the methods here are: " + allow);
  made.allow = std::move(allow);
  return made;
}

asio::awaitable<boost::system::result<request>> read_request(beast::tcp_stream& client) {
  beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(longest_body);
  client.expires_after(longest_request);
  const auto [code, size] = co_await http::async_read(client, buffer, parser, no_throw);
  if (code) co_return code;
  co_return parser.release();
}

boost::system::result<reply> reply_to_unreadable(boost::system::error_code code) {
  if (code == http::error::body_limit)
    return refusal(http::status::payload_too_large, "a body has 64 KiB at most");
  if (code == http::error::header_limit)
    return refusal(http::status::request_header_fields_too_large, "a head has 8 KiB at most");
  const boost::system::error_code gone = http::error::end_of_stream;
  if (code == gone || code.category() != gone.category()) return code;
  return refusal(http::status::bad_request, "this is not HTTP/1.1: " + code.message());
}

asio::awaitable<void> answer(beast::tcp_stream& client, http::verb method, reply what) {
  http::response<http::string_body> made(what.status, 11, std::move(what.json) + "\n");
  made.set(http::field::content_type, "application/json");
  if (!what.allow.empty()) made.set(http::field::allow, what.allow);
  made.keep_alive(false);
  made.prepare_payload();
  if (method == http::verb::head) made.body().clear();
  client.expires_after(longest_request);
  const auto [code, size] = co_await http::async_write(client, made, no_throw);
  if (!code) co_await take_leave(client);
}

}  // namespace sample
