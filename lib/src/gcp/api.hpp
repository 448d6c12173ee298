#pragma once

// One request to a service on the web and its whole answer, as values.

#include "http/exchange.hpp"
#include "http/message.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::gcp {

struct api_call {
  api_call() = default;
  api_call(std::string how, std::string where) : method(std::move(how)), url(std::move(where)) {}

  // Adds a field of the head.
  api_call& with(std::string name, std::string value) {
    fields.push_back({std::move(name), std::move(value)});
    return *this;
  }
  // The body, and what it is.
  api_call& json(std::string text) {
    body = std::move(text);
    return with("Content-Type", "application/json; charset=UTF-8");
  }
  api_call& form(std::string text) {
    body = std::move(text);
    return with("Content-Type", "application/x-www-form-urlencoded");
  }

  std::string method = "GET";
  std::string url;
  std::vector<http::header_field> fields;
  std::string body;
  std::vector<http::body_part> parts;  // instead of `body`
  std::string service;                 // for the words: "Cloud Storage"
  std::string permission;              // what a refusal with a 403 lacks: "storage.objects.get on gs://b"
  bool anonymous = false;              // sent without a token
  std::chrono::milliseconds total{0};  // how long all of it may take; zero: as long as it moves
};

struct api_answer {
  api_answer() = default;

  int status() const noexcept { return head.status; }

  http::response_head head;
  std::string body;
};

// "a=1&b=x%20y", for a query or a form.
class parameters {
 public:
  parameters& add(std::string_view name, std::string_view value);
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace dockline::gcp
