#include "gcp/google_error.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "http/status.hpp"

#include <algorithm>

namespace dockline::gcp {
namespace {

constexpr std::size_t longest_words = 2'000;

// One line that can be shown, of text from outside.
std::string line_of(std::string_view text) {
  std::string line = to_utf8(text.substr(0, longest_words));
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
  return line;
}

// The text between <NAME> and </NAME>.
std::string_view element(std::string_view xml, const std::string& name) {
  const std::size_t start = xml.find('<' + name + '>');
  if (start == xml.npos) return {};
  const std::size_t from = start + name.size() + 2;
  const std::size_t end = xml.find("</" + name + '>', from);
  return end == xml.npos ? std::string_view() : xml.substr(from, end - from);
}

// The first text that is found in a value: servers put an object where Google has a string.
std::string first_text(json::value where, int depth = 0) {
  if (const auto text = where.as_string()) return std::string(*text);
  if (depth > 4) return {};
  for (const auto key : {"message", "error_description", "error", "detail"}) {
    if (auto text = first_text(where.find(key), depth + 1); !text.empty()) return text;
  }
  for (const json::member one : where.members()) {
    if (auto text = first_text(one.value, depth + 1); !text.empty()) return text;
  }
  return {};
}

google_error read_json(json::value root) {
  google_error found;
  // Some answer with the inner object alone, or with a list of one.
  if (root.is_array()) {
    for (const json::value one : root.elements()) return read_json(one);
    return found;
  }
  const json::value error = root.find("error");
  if (const auto name = error.as_string()) {
    found.reason = *name;
    found.message = root.find("error_description").string_or_empty();
    found.subtype = root.find("error_subtype").string_or_empty();
    if (found.message.empty()) found.message = *name;
    return found;
  }
  const json::value inner = error.is_object() ? error : root;
  found.reason = inner.find("status").string_or_empty();
  const auto listed = inner.find("errors");
  for (const json::value one : listed.elements()) {
    if (found.reason.empty()) found.reason = one.find("reason").string_or_empty();
    if (found.message.empty()) found.message = first_text(one.find("message"));
  }
  if (auto text = first_text(inner.find("message")); !text.empty()) found.message = std::move(text);
  if (found.message.empty()) found.message = inner.find("error_description").string_or_empty();
  return found;
}

}  // namespace

google_error read_google_error(std::string_view body) {
  google_error found;
  if (const auto parsed = json::parse(body);
      parsed && (parsed->root().is_object() || parsed->root().is_array())) {
    found = read_json(parsed->root());
  } else if (body.find("<Error>") != body.npos) {
    found.reason = element(body, "Code");
    found.message = element(body, "Message");
    const auto details = element(body, "Details");
    if (!details.empty()) found.message += (found.message.empty() ? "" : ": ") + std::string(details);
  } else if (body.find('<') == body.npos) {
    found.message = body.substr(0, body.find('\n'));
  }
  found.reason = line_of(found.reason);
  found.subtype = line_of(found.subtype);
  found.message = line_of(found.message);
  return found;
}

error_code code_of_answer(int status, std::string_view body, std::string_view service, diagnostics& why) {
  const google_error told = read_google_error(body);
  why.clear();
  why.set_server_message(told.message);
  std::string ours = std::string(service) + " answered " + std::to_string(status);
  if (!told.reason.empty() && told.reason != told.message) ours += " " + told.reason;
  why.set_client_message(std::move(ours));
  return http::code_of_status(status);
}

bool is_transient(int status) noexcept {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

bool is_transient(const error_code& code) noexcept {
  return code == errc::connection_lost || code == errc::cannot_connect || code == errc::timed_out ||
         code == boost::system::errc::connection_reset;
}

}  // namespace dockline::gcp
