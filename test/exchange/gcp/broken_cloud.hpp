#pragma once

// The operations of the library over a line to the tests' Google that breaks at a byte, for many bytes and in
// every way in which lines break. All that Google is stands behind it: tokens and the metadata server too.

#include "dockline/gcp/client.hpp"

#include "exchange/gcp/cloud.hpp"
#include "support/entries_of.hpp"
#include "support/planned_relay.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace dockline::test {

// What becomes of an operation whose line breaks once.
enum class broken_once : std::uint8_t {
  is_outlived,  // what was lost is asked for again
  may_fail,
};

class broken_cloud {
 public:
  broken_cloud() : google_({"--bucket", "box", "--concurrency", "10000"}), relay_(port_of(google_)) {
    google_.settings(R"({"pending_seconds": 0, "queued_seconds": 0, "log_seconds": 0})");
  }

  const google_server& google() const noexcept { return google_; }
  // What is told of it over an undisturbed line.
  cloud undisturbed() const { return cloud(google_); }

  // Those of a file of the tests' Google; wherever it points, it is over the line.
  gcp::credentials who(std::string_view name = "authorized_user") const {
    const std::string path = google_.credentials_file(name);
    std::string text = content_of(path);
    const std::string metadata = google_.metadata();
    for (std::size_t at = 0; (at = text.find(metadata, at)) != text.npos;)
      text.replace(at, metadata.size(), place());
    diagnostics why;
    auto parsed = gcp::parse_credentials(text, path, {}, why);
    REQUIRE_MESSAGE(parsed.has_value(), describe(parsed ? error_code() : parsed.error(), why));
    return std::move(*parsed);
  }

  // How a client reaches it. What can go on has its time, and what cannot is given up soon.
  gcp::client_options options(const line_plan& how) const {
    gcp::client_options options = options_for(google_);
    options.storage_endpoint = "http://" + place();
    options.cloud_build_endpoint = options.storage_endpoint;
    options.resource_manager_endpoint = options.storage_endpoint;
    options.metadata_host = place();
    const bool silent = how.kind == line_fault::stall || how.kind == line_fault::corrupt;
    options.idle_timeout = silent ? 200ms : 5'000ms;
    options.retries.first_delay = 2ms;
    options.retries.longest_delay = 20ms;
    options.retries.budget = how.once ? 5'000ms : 100ms;
    return options;
  }

  // Runs `attempt` with the line undisturbed, slow, byte by byte, and broken at some `points` bytes in each direction. It
  // runs one operation, checks what it made, and returns whether it succeeded. After all of it no descriptor is left.
  using attempt = std::function<bool(const line_plan&)>;
  void break_everywhere(const attempt& what, std::size_t points, broken_once once) {
    relay_.plan(line_plan());
    const std::size_t before = entries_of("/proc/self/fd");
    const auto end = [&](const line_plan& how) {
      CAPTURE(static_cast<int>(how.kind));
      CAPTURE(how.at);
      CAPTURE(how.requests);
      CAPTURE(how.once);
      relay_.plan(how);
      return what(how);
    };
    REQUIRE(end(line_plan()));
    const std::size_t answered = relay_.answered();
    const std::size_t requested = relay_.requested();
    REQUIRE(answered > 0);
    for (const bool requests : {false, true}) {
      const std::size_t last = (requests ? requested : answered) - 1;
      for (const auto slow : {line_fault::throttle, line_fault::dribble})
        CHECK(end(line_plan(slow, 0, requests)));
      for (const auto kind : {line_fault::cut, line_fault::reset, line_fault::stall}) {
        // A stall takes as long as it is borne.
        for (const std::size_t at : spread(last, kind == line_fault::stall ? 2 : points)) {
          line_plan how(kind, at, requests);
          how.once = true;
          const bool succeeded = end(how);
          if (once == broken_once::is_outlived) CHECK(succeeded);
        }
        // Nothing succeeds over a line that is never there.
        CHECK_FALSE(end(line_plan(kind, 0, requests)));
      }
      (void)end(line_plan(line_fault::cut, last / 2, requests));
      // The web of Google is https; here it is not, and a bit that is another one is found only where there is a
      // checksum, which is of what is uploaded. Elsewhere the outcome may be any: it has to be one.
      for (const std::size_t at : spread(last, points)) {
        line_plan how(line_fault::corrupt, at, requests);
        how.once = true;
        (void)end(how);
      }
    }
    relay_.plan(line_plan());
    // The relay closes what it took last when it hears of its end.
    const auto until = std::chrono::steady_clock::now() + patience;
    while (entries_of("/proc/self/fd") > before && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
    CHECK(entries_of("/proc/self/fd") <= before);
  }

  // The same for what is asked with a client of the credentials `name`. `start` is called with the client, diagnostics
  // and a token; `right` checks what succeeded, unless a bit was another one; `ended` is called after each attempt
  // with whether it succeeded, and what it made.
  template <class T, class Start, class Right, class Ended>
  void break_everywhere(std::string_view name, std::size_t points, broken_once once, Start start, Right right,
                        Ended ended) {
    break_everywhere(
        [&](const line_plan& how) {
          outcome<T> seen;
          {
            cloud line(who(name), options(how));
            seen = line.operation<T>(
                [&](diagnostics& why, auto token) { start(line.google, why, std::move(token)); });
          }
          CHECK_MESSAGE(static_cast<bool>(seen.code) != seen.why.empty(), seen.words());
          INFO(seen.words());
          if (!seen.code && how.kind != line_fault::corrupt) right(seen.value);
          ended(!seen.code, seen.value);
          return !seen.code;
        },
        points, once);
  }
  template <class T, class Start, class Right>
  void break_everywhere(std::string_view name, std::size_t points, broken_once once, Start start,
                        Right right) {
    break_everywhere<T>(name, points, once, std::move(start), std::move(right), [](bool, const T&) {});
  }

 private:
  static std::string port_of(const google_server& google) {
    const std::string base = google.base();
    return base.substr(base.rfind(':'));
  }

  // `points` bytes from the first to the last, evenly.
  static std::set<std::size_t> spread(std::size_t last, std::size_t points) {
    std::set<std::size_t> chosen;
    for (std::size_t i = 0; i <= points; ++i) chosen.insert(last * i / points);
    return chosen;
  }

  std::string place() const { return "127.0.0.1:" + std::to_string(relay_.port()); }

  google_server google_;
  planned_relay relay_;
};

}  // namespace dockline::test
