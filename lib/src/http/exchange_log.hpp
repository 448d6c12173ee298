#pragma once

#include "dockline/http/exchange_event.hpp"

#include "http/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::http {

// The head of a request as it goes onto the wire, for other eyes: see exchange_event::head.
std::string shown_request(std::string_view encoded);
std::string shown_answer(const response_head& head);

// Tells an observer, if there is one, of one exchange.
class exchange_log {
 public:
  exchange_log() = default;
  exchange_log(exchange_observer to, std::uint64_t number) : to_(std::move(to)), number_(number) {}

  void request(std::string_view encoded_head);
  void answer(const response_head& head, std::uint64_t sent, std::uint64_t received);
  // The first time counts.
  void over(error_code outcome, std::uint64_t sent, std::uint64_t received);

 private:
  exchange_event event(exchange_phase phase) const;

  exchange_observer to_;
  std::uint64_t number_ = 0;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace dockline::http
