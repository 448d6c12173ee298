#pragma once

// Requests as they come, and answers that are there at once. (A build's answer is an event_stream.)

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace sample {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using request = http::request<http::string_body>;

// A whole answer: a status, and JSON.
struct reply {
  reply(http::status what, std::string text) : status(what), json(std::move(text)) {}

  http::status status;
  std::string json;
  std::string allow;  // the methods that there are, where a request had another one
};

// The reply that says what is wrong.
reply refusal(http::status status, std::string_view message);
reply wrong_method(std::string allow);

// Reads a request of 64 KiB at most, within 30 seconds.
asio::awaitable<boost::system::result<request>> read_request(beast::tcp_stream& client);

// What to reply to a request that could not be read. Fails with `code` where nobody waits for a reply.
boost::system::result<reply> reply_to_unreadable(boost::system::error_code code);

// Writes the reply and ends the connection. The reply to HEAD is a head alone.
asio::awaitable<void> answer(beast::tcp_stream& client, http::verb method, reply what);

}  // namespace sample
