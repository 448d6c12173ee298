#include "http/exchange_log.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace dockline::http {
namespace {

namespace beast = boost::beast;

constexpr std::string_view mask = "***";

// What this library sends that holds no secret. The user's own fields, from docker's configuration, often do.
constexpr std::array<std::string_view, 12> harmless_fields = {
    "Accept", "Connection",    "Content-Length", "Content-Range",     "Content-Type", "Expect",
    "Host",   "Last-Event-ID", "Range",          "Transfer-Encoding", "Upgrade",      "User-Agent"};
// What a daemon or a proxy before it may set.
constexpr std::array<std::string_view, 4> secret_answer_fields = {
    "Authentication-Info", "Proxy-Authentication-Info", "Set-Cookie", "X-GUploader-UploadID"};
// Whoever has it may go on with that upload.
constexpr std::string_view upload_parameter = "upload_id";

bool contains(const auto& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view one) { return beast::iequals(one, name); });
}

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (const auto byte = decode_hex(text.substr(i + 1, 2)); byte && byte->size() == 1) {
        plain += *byte;
        i += 2;
        continue;
      }
    }
    plain += text[i] == '+' ? ' ' : text[i];
  }
  return plain;
}

// One word of the kind "http://user:password@proxy", without what stands before the last '@'. A digest has an
// '@' before it as well.
std::string word_without_userinfo(std::string_view word) {
  std::size_t at = word.rfind('@');
  while (at != word.npos &&
         (word.substr(at).starts_with("@sha256:") || word.substr(at).starts_with("@sha512:")))
    at = at == 0 ? word.npos : word.rfind('@', at - 1);
  if (at == word.npos) return std::string(word);
  const std::string_view before = word.substr(0, at);
  std::size_t from = 0;
  if (const std::size_t scheme = before.find("://"); scheme != before.npos) {
    from = scheme + 3;
  } else {
    from = before.find_last_of("/=") + 1;  // npos + 1 is 0
    if (before.find(':', from) == before.npos) return std::string(word);
  }
  return std::string(word.substr(0, from)) + std::string(mask) + std::string(word.substr(at));
}

std::string without_userinfo(std::string_view text) {
  constexpr std::string_view ends_a_word = "\"' \t\r\n,;<>";
  std::string shown;
  for (;;) {
    const std::size_t end = std::min(text.find_first_of(ends_a_word), text.size());
    shown += word_without_userinfo(text.substr(0, end));
    if (end == text.size()) return shown;
    shown += text[end];
    text.remove_prefix(end + 1);
  }
}

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 7> parts = {"pass", "secret", "token", "credential",
                                                     "auth", "key",    "pwd"};
  const std::string small = lower_case(name);
  return std::ranges::any_of(parts, [&](std::string_view part) { return small.find(part) != small.npos; });
}

// {"NAME":"value"} with the values masked whose names say what they are.
std::string shown_build_args(const std::string& text) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->root().is_object()) return std::string(mask);
  json::writer out;
  out.begin_object();
  for (const auto one : parsed->root().members()) {
    out.key(one.name);
    const auto value = one.value.as_string();
    if (!value) {
      out.null();
    } else {
      out.string(names_a_secret(one.name) ? std::string(mask) : without_userinfo(*value));
    }
  }
  out.end_object();
  return out.take();
}

std::string shown_parameter(std::string_view name, const std::string& value) {
  if (name == "buildargs") return shown_build_args(value);
  if (name == upload_parameter || names_a_secret(name)) return std::string(mask);
  return without_userinfo(value);
}

std::string shown_target(std::string_view target) {
  const std::size_t start = target.find('?');
  std::string shown(target.substr(0, start));
  if (start == target.npos) return shown;
  char before = '?';
  for (std::string_view rest = target.substr(start + 1);; before = '&') {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equal = std::min(pair.find('='), pair.size());
    shown += before;
    shown += pair.substr(0, equal);
    if (equal < pair.size()) {
      const std::string value = unescape(pair.substr(equal + 1));
      const std::string safe = shown_parameter(pair.substr(0, equal), value);
      shown += '=';
      // What hides nothing is shown as it goes out.
      shown += safe == value ? std::string(pair.substr(equal + 1)) : escape_query(safe);
    }
    if (end == rest.npos) return shown;
    rest.remove_prefix(end + 1);
  }
}

std::string shown_answer_field(std::string_view name, std::string_view value) {
  if (contains(secret_answer_fields, name)) return std::string(mask);
  const std::string shown = without_userinfo(value);
  return beast::iequals(name, "Location") ? shown_target(shown) : shown;
}

}  // namespace

std::string shown_request(std::string_view encoded) {
  std::string shown;
  for (bool first = true; !encoded.empty(); first = false) {
    const std::size_t end = encoded.find("\r\n");
    const std::string_view line = encoded.substr(0, end);
    encoded.remove_prefix(end == encoded.npos ? encoded.size() : end + 2);
    if (line.empty()) break;
    if (first) {
      const std::size_t target = line.find(' ') + 1;
      const std::size_t version = line.rfind(' ');
      shown += line.substr(0, target);
      shown += shown_target(line.substr(target, version - target));
      shown += line.substr(version);
    } else {
      const std::size_t colon = std::min(line.find(':'), line.size());
      const bool plain = contains(harmless_fields, line.substr(0, colon)) ||
                         beast::iequals(line.substr(0, std::min<std::size_t>(colon, 16)), "X-Docker-Expose-");
      shown += plain ? line : line.substr(0, colon);
      if (!plain) shown += ": " + std::string(mask);
    }
    shown += '\n';
  }
  return shown;
}

std::string shown_answer(const response_head& head) {
  std::string shown = "HTTP/1.1 " + std::to_string(head.status) + ' ' + head.reason + '\n';
  for (const auto& [name, value] : head.fields) {
    shown += name + ": " + shown_answer_field(name, value) + '\n';
  }
  return shown;
}

exchange_event exchange_log::event(exchange_phase phase) const {
  exchange_event what;
  what.number = number_;
  what.phase = phase;
  what.elapsed = std::chrono::steady_clock::now() - began_;
  return what;
}

void exchange_log::request(std::string_view encoded_head) {
  if (!to_) return;
  began_ = std::chrono::steady_clock::now();
  exchange_event what = event(exchange_phase::request);
  what.head = shown_request(encoded_head);
  to_(what);
}

void exchange_log::answer(const response_head& head, std::uint64_t sent, std::uint64_t received) {
  if (!to_) return;
  exchange_event what = event(exchange_phase::answer);
  what.head = shown_answer(head);
  what.sent = sent;
  what.received = received;
  to_(what);
}

void exchange_log::over(error_code outcome, std::uint64_t sent, std::uint64_t received) {
  if (!to_) return;
  exchange_event what = event(exchange_phase::over);
  what.outcome = outcome;
  what.sent = sent;
  what.received = received;
  std::exchange(to_, nullptr)(what);
}

}  // namespace dockline::http
