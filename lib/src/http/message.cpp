#include "http/message.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace dockline::http {
namespace {

namespace beast = boost::beast;

// A body that is handed on as it comes in, and never held.
struct passing_body {
  using value_type = std::string;

  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(beast::http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>&, beast::error_code& code) { code = {}; }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& code) {
      std::size_t total = 0;
      for (auto part : beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(part.data()), part.size());
        total += part.size();
      }
      code = {};
      return total;
    }

    void finish(beast::error_code& code) { code = {}; }

   private:
    value_type& body_;
  };
};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// RFC 9112, section 3.2: a target holds no white space and no control character.
bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return (c >= ' ' && c != 0x7f) || c == '\t'; });
}

bool starts_last_chunk(boost::asio::const_buffer bytes) {
  return std::string_view(static_cast<const char*>(bytes.data()), bytes.size()).starts_with("0\r\n");
}

error_code translate(const beast::error_code& code) {
  if (code == beast::http::error::header_limit || code == beast::http::error::body_limit ||
      code == beast::http::error::buffer_overflow) {
    return errc::message_too_long;
  }
  return errc::malformed_http;
}

}  // namespace

result<std::string> encode_head(const request_head& head, const body_framing& framing, diagnostics& why) {
  const auto refuse = [&](std::string what) {
    why.set_client_message(std::move(what));
    return errc::invalid_argument;
  };
  if (!is_token(head.method)) return refuse("not an HTTP method: " + head.method);
  if (!is_target(head.target)) return refuse("not an HTTP request target: " + head.target);
  std::string text = head.method + ' ' + head.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : head.fields) {
    if (!is_token(name)) return refuse("not an HTTP field name: " + name);
    // The value may be a credential, so it is not shown.
    if (!is_field_value(value)) return refuse("the HTTP field " + name + " holds a control character");
    has_host = has_host || beast::iequals(name, "Host");
    text += name + ": " + value + "\r\n";
  }
  // The peer of a Unix socket has no name; Go's servers want a Host that is one all the same.
  if (!has_host) text += "Host: docker\r\n";
  if (!framing.length) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (*framing.length > 0 || head.method == "POST" || head.method == "PUT") {
    text += "Content-Length: " + std::to_string(*framing.length) + "\r\n";
  }
  text += "\r\n";
  return text;
}

std::string chunk_head(std::size_t size) {
  char digits[2 * sizeof(size)];
  const auto end = std::to_chars(digits, digits + sizeof(digits), size, 16).ptr;
  return std::string(digits, end) + "\r\n";
}

std::string_view response_head::find(std::string_view name) const noexcept {
  for (const auto& field : fields) {
    if (beast::iequals(field.name, name)) return field.value;
  }
  return {};
}

struct response_decoder::parser : beast::http::response_parser<passing_body> {
  explicit parser(decoder_limits bounds) {
    header_limit(bounds.head);
    body_limit(boost::none);
    // Stops behind the head, so that its size is known; the body is then eaten as it comes.
    eager(false);
    skip(bounds.no_body);
  }
};

response_decoder::response_decoder(decoder_limits bounds)
    : bounds_(bounds), parser_(std::make_unique<parser>(bounds)) {}
response_decoder::response_decoder(response_decoder&&) noexcept = default;
response_decoder& response_decoder::operator=(response_decoder&&) noexcept = default;
response_decoder::~response_decoder() = default;

result<std::size_t> response_decoder::eat(boost::asio::const_buffer bytes, std::string& body) {
  std::size_t eaten = 0;
  while (!parser_->is_done() && eaten < bytes.size()) {
    // Beast's limit holds for the bytes of one call, whatever it has eaten of the same head before; and a
    // chunk's size with its extensions, or a trailer, has none.
    const std::size_t room = bounds_.head - head_size_;
    const auto window = boost::asio::buffer(bytes + eaten, room);
    // Beast 1.81 asserts, when the first chunk is the last one, that it is not shown 4 bytes of it after 3.
    // The shortest end of a chunked body has 5, so more come.
    if (has_head_ && parser_->chunked() && window.size() < 5 && starts_last_chunk(window)) break;
    beast::error_code code;
    const std::size_t some = parser_->put(window, code);
    eaten += some;
    const bool starved = code == beast::http::error::need_more;
    if (code && !starved) return translate(code);
    if (!has_head_) {
      head_size_ += some;
      if (parser_->is_header_done()) {
        head_size_ = 0;
        take_head();
        parser_->eager(true);
        // RFC 9110, section 15.2: an interim answer announces the real one. 101 is the last of its exchange.
        if (head_.status / 100 == 1 && head_.status != 101) {
          if (++interim_ > bounds_.interim) return errc::message_too_long;
          parser_ = std::make_unique<parser>(bounds_);
          head_ = response_head();
          has_head_ = false;
        }
        continue;
      }
    }
    if (!starved) continue;
    if (window.size() == room && (some == 0 || !has_head_)) return errc::message_too_long;
    if (some == 0 || window.size() < room) break;
  }
  std::string& passed = parser_->get().body();
  body += passed;
  passed.clear();
  return eaten;
}

result<void> response_decoder::eat_end() {
  if (parser_->is_done()) return {};
  beast::error_code code;
  if (parser_->is_header_done()) parser_->put_eof(code);
  if (code || !parser_->is_done()) return errc::connection_lost;
  return {};
}

void response_decoder::take_head() {
  const auto& message = parser_->get();
  head_.status = static_cast<int>(message.result_int());
  head_.reason = std::string(message.reason());
  for (const auto& field : message) {
    head_.fields.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  has_head_ = true;
}

bool response_decoder::head_done() const noexcept { return has_head_; }
bool response_decoder::done() const noexcept { return parser_->is_done(); }
bool response_decoder::keep_alive() const noexcept { return parser_->keep_alive() && !parser_->upgrade(); }

}  // namespace dockline::http
