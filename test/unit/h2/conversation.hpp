#pragma once

// Two peers that talk to each other in memory, and what each of them told.

#include "h2/peer.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::h2 {

// What one side saw of a stream, as text.
struct seen_stream {
  std::string log;   // "headers :status=200 …; data 12; trailers a=b; end; closed NO_ERROR; "
  std::string body;  // of all data events
};

struct side {
  explicit side(role own, peer_limits limits = {}) : self(own, limits) {}

  peer self;
  bool consumes = true;
  std::map<stream_id, seen_stream> streams;
  std::string log;  // what is not of a stream, and room
  error_code failure;

  // Eats, and notes what happened.
  void eat(std::string_view bytes) {
    if (const auto received = self.receive(bytes); !received) failure = received.error();
    drain();
  }

  void drain() {
    while (const auto what = self.next()) {
      seen_stream& stream = streams[what->stream];
      switch (what->kind) {
        case event_kind::settings: log += "settings; "; break;
        case event_kind::headers:
        case event_kind::trailers:
          stream.log += what->kind == event_kind::headers ? "headers" : "trailers";
          for (const field& one : what->headers) stream.log += " " + one.name + "=" + one.value;
          stream.log += "; ";
          break;
        case event_kind::data:
          stream.body += what->bytes;
          if (consumes) self.consumed(what->stream, what->bytes.size());
          break;
        case event_kind::end: stream.log += "end; "; break;
        case event_kind::room: log += "room " + std::to_string(what->stream) + "; "; break;
        case event_kind::closed: stream.log += "closed " + name_of(what->why) + "; "; break;
        case event_kind::goaway: log += "goaway " + name_of(what->why) + " " + what->text + "; "; break;
      }
    }
  }

  std::string take(std::size_t limit = 1 << 20) {
    std::string out;
    if (const auto collected = self.collect(out, limit); !collected) failure = collected.error();
    drain();
    return out;
  }
};

// Moves bytes both ways, in pieces of `cut`, until neither has any.
inline void talk(side& one, side& other, std::size_t cut = std::string::npos) {
  for (bool more = true; more;) {
    more = false;
    for (auto [from, to] : {std::pair(&one, &other), std::pair(&other, &one)}) {
      const std::string all = from->take();
      more = more || !all.empty();
      for (std::string_view rest = all; !rest.empty(); rest.remove_prefix(std::min(cut, rest.size()))) {
        to->eat(std::string(rest.substr(0, cut)));
      }
    }
  }
}

inline fields request_fields() {
  return {{":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "here"}};
}
inline fields response_fields() { return {{":status", "200"}}; }

}  // namespace dockline::h2
