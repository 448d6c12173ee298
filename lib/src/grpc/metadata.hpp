#pragma once

// What comes beside the messages of a call: pairs of names and values.

#include "core/encoding.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::grpc {

// The pairs in the order in which they came. Names are in lower case, a name may come more than once. The
// values of names that end in "-bin" are bytes, and are base64 on the wire only.
class metadata {
 public:
  using pair = std::pair<std::string, std::string>;

  metadata() = default;

  void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }

  // The first value of a name; empty when there is none.
  std::string_view find(std::string_view name) const noexcept {
    for (const auto& [key, value] : pairs_) {
      if (key == name) return value;
    }
    return {};
  }
  bool contains(std::string_view name) const noexcept {
    for (const auto& one : pairs_) {
      if (one.first == name) return true;
    }
    return false;
  }
  // All values of a name, in their order.
  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : pairs_) {
      if (key == name) values.push_back(value);
    }
    return values;
  }

  const std::vector<pair>& pairs() const noexcept { return pairs_; }
  bool empty() const noexcept { return pairs_.empty(); }

 private:
  std::vector<pair> pairs_;
};

// The value of grpc-timeout: at most eight digits and a unit of H, M, S, m, u or n. Empty for anything else.
std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) noexcept;
// The value that says this much, rounded up where it needs more than eight digits.
std::string encode_timeout(std::chrono::nanoseconds timeout);

}  // namespace dockline::grpc
