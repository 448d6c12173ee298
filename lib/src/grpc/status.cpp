#include "grpc/status.hpp"

#include "core/ascii.hpp"

#include <boost/asio/error.hpp>

#include <charconv>

namespace dockline::grpc {
namespace {

constexpr int highest_code = static_cast<int>(status_code::unauthenticated);

status_code code_of(error_code code) noexcept {
  if (code == errc::message_too_long) return status_code::resource_exhausted;
  if (code == condition::cancelled) return status_code::cancelled;
  if (code == condition::timed_out) return status_code::deadline_exceeded;
  if (code == condition::invalid_argument) return status_code::invalid_argument;
  if (code == condition::not_found) return status_code::not_found;
  if (code == condition::conflict) return status_code::already_exists;
  if (code == condition::unauthorized) return status_code::unauthenticated;
  if (code == condition::denied) return status_code::permission_denied;
  if (code == condition::unsupported) return status_code::unimplemented;
  if (code == condition::unreachable) return status_code::unavailable;
  if (code == condition::peer_misbehaved) return status_code::internal;
  return status_code::unknown;
}

}  // namespace

std::string_view name_of(status_code code) noexcept {
  switch (code) {
    case status_code::ok: return "OK";
    case status_code::cancelled: return "Canceled";
    case status_code::unknown: return "Unknown";
    case status_code::invalid_argument: return "InvalidArgument";
    case status_code::deadline_exceeded: return "DeadlineExceeded";
    case status_code::not_found: return "NotFound";
    case status_code::already_exists: return "AlreadyExists";
    case status_code::permission_denied: return "PermissionDenied";
    case status_code::resource_exhausted: return "ResourceExhausted";
    case status_code::failed_precondition: return "FailedPrecondition";
    case status_code::aborted: return "Aborted";
    case status_code::out_of_range: return "OutOfRange";
    case status_code::unimplemented: return "Unimplemented";
    case status_code::internal: return "Internal";
    case status_code::unavailable: return "Unavailable";
    case status_code::data_loss: return "DataLoss";
    case status_code::unauthenticated: return "Unauthenticated";
  }
  return "Unknown";
}

status status_of(error_code code, std::string words) {
  if (!code) return status();
  if (words.empty()) words = code.message();
  return status(code_of(code), std::move(words));
}

std::string encode_message(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    if (letter >= ' ' && letter <= '~' && letter != '%') {
      out += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string decode_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

status_code parse_status_code(std::string_view text) noexcept {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  if (!whole || number < 0 || number > highest_code) return status_code::unknown;
  return static_cast<status_code>(number);
}

}  // namespace dockline::grpc
