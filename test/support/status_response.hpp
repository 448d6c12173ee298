#pragma once

#include <protozero/pbf_writer.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dockline::test {

// A StatusResponse of BuildKit, written by hand. Times are milliseconds since a second of 2026; 0 is none.
class status_response {
 public:
  status_response& vertex(std::string_view digest, std::string_view name, std::int64_t started = 0,
                          std::int64_t completed = 0, bool cached = false, std::string_view error = {},
                          std::string_view group = {}, bool weak = false) {
    protozero::pbf_writer all(bytes_);
    protozero::pbf_writer one(all, 1);
    one.add_string(1, digest.data(), digest.size());
    one.add_string(3, name.data(), name.size());
    if (cached) one.add_bool(4, true);
    time(one, 5, started);
    time(one, 6, completed);
    if (!error.empty()) one.add_string(7, error.data(), error.size());
    if (!group.empty()) {
      protozero::pbf_writer of(one, 8);
      of.add_string(1, group.data(), group.size());
      const std::string title = "group " + std::string(group);
      of.add_string(2, title);
      if (weak) of.add_bool(3, true);
    }
    return *this;
  }
  status_response& status(std::string_view digest, std::string_view id, std::int64_t current,
                          std::int64_t total, std::int64_t at, bool complete = false) {
    protozero::pbf_writer all(bytes_);
    protozero::pbf_writer one(all, 2);
    one.add_string(1, id.data(), id.size());
    one.add_string(2, digest.data(), digest.size());
    one.add_int64(4, current);
    one.add_int64(5, total);
    time(one, 6, at);
    if (complete) time(one, 8, at);
    return *this;
  }
  status_response& log(std::string_view digest, int stream, std::string_view text, std::int64_t at) {
    protozero::pbf_writer all(bytes_);
    protozero::pbf_writer one(all, 3);
    one.add_string(1, digest.data(), digest.size());
    time(one, 2, at);
    one.add_int64(3, stream);
    one.add_bytes(4, text.data(), text.size());
    return *this;
  }
  status_response& warning(std::string_view digest, std::string_view text, int first, int last) {
    protozero::pbf_writer all(bytes_);
    protozero::pbf_writer one(all, 4);
    one.add_string(1, digest.data(), digest.size());
    one.add_bytes(3, text.data(), text.size());
    one.add_bytes(4, "more");
    one.add_string(5, "https://x");
    {
      protozero::pbf_writer info(one, 6);
      info.add_string(1, "Dockerfile");
    }
    for (const int line : {last, first}) {
      protozero::pbf_writer range(one, 7);
      protozero::pbf_writer(range, 1).add_int32(1, line);
      protozero::pbf_writer(range, 2).add_int32(1, line);
    }
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  static void time(protozero::pbf_writer& into, protozero::pbf_tag_type field, std::int64_t milliseconds) {
    if (milliseconds == 0) return;
    protozero::pbf_writer at(into, field);
    at.add_int64(1, 1'790'000'000 + milliseconds / 1000);
    at.add_int32(2, static_cast<std::int32_t>(milliseconds % 1000 * 1'000'000));
  }

  std::string bytes_;
};

}  // namespace dockline::test
