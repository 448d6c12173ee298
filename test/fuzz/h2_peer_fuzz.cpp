// However the bytes of a peer are cut, they give the same events on each stream, and the same end.

#include "h2/peer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace dockline;

struct outcome {
  std::map<h2::stream_id, std::string> streams;
  // The other side's farewell came. Whether it may begin streams after it depends on whether all others were over by
  // then, so that these are not among the streams.
  bool farewell = false;
  bool failed = false;
};

// A server that echoes what it is sent, or a client with one request under way.
outcome listen(h2::role own, std::string_view bytes, std::size_t chunk_size) {
  outcome seen;
  h2::peer_limits limits;
  limits.concurrent_streams = 8;
  limits.header_list = 2048;
  limits.send_buffer = 4096;
  h2::peer self(own, limits);
  std::string out;
  if (own == h2::role::client) {
    h2::fields headers = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    if (const auto id = self.submit_request(headers, false)) self.write(*id, "body");
    // Under way: whether a request that is not is refused by a farewell depends on what comes in between.
    if (!self.collect(out, 1000)) std::abort();
  }
  std::size_t held = 0;
  const auto drain = [&] {
    while (const auto what = self.next()) {
      std::string late;
      std::string& text =
          seen.farewell && !seen.streams.contains(what->stream) ? late : seen.streams[what->stream];
      switch (what->kind) {
        case h2::event_kind::settings: break;
        case h2::event_kind::headers:
        case h2::event_kind::trailers:
          for (const auto& one : what->headers) text += one.name + "=" + one.value + "\n";
          if (own == h2::role::server && what->kind == h2::event_kind::headers)
            self.submit_response(what->stream, {{":status", "200"}}, false);
          break;
        case h2::event_kind::data:
          if (what->bytes.empty()) std::abort();
          text += what->bytes;
          held += what->bytes.size();
          if (self.write(what->stream, what->bytes) > what->bytes.size()) std::abort();
          self.consumed(what->stream, what->bytes.size());
          break;
        case h2::event_kind::end:
          text += "|end";
          self.finish(what->stream, {{"grpc-status", "0"}});
          break;
        case h2::event_kind::room: break;
        case h2::event_kind::closed: text += "|closed"; break;
        case h2::event_kind::goaway: seen.farewell = true; break;
      }
    }
  };
  while (!bytes.empty() && !seen.failed) {
    const std::string chunk(bytes.substr(0, chunk_size));
    bytes.remove_prefix(chunk.size());
    if (!self.receive(chunk)) seen.failed = true;
    drain();
    do {
      out.clear();
      if (!self.collect(out, 1000)) seen.failed = true;
      drain();
    } while (!out.empty() && !seen.failed);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  // Alone it would take long to find the preface.
  listen(h2::role::server, bytes, bytes.size());
  for (const auto own : {h2::role::server, h2::role::client}) {
    const std::string whole =
        own == h2::role::server ? opening + std::string(bytes) : opening.substr(24) + std::string(bytes);
    const outcome once = listen(own, whole, whole.size());
    // Whatever comes before an error is told; whether the last stream's end is one of them depends on what
    // had been sent by then, and after a farewell no stream may begin: only good conversations are compared.
    // How many streams were over when another one began depends on the cut, so that one in pieces may have
    // more of them; and so does who was the first to reset one.
    const outcome pieces = listen(own, whole, 5);
    if (once.failed || pieces.failed) continue;
    const bool good = !once.farewell && !pieces.farewell;
    for (const auto& [id, text] : once.streams) {
      const auto found = pieces.streams.find(id);
      if (found == pieces.streams.end() || (good && found->second != text)) std::abort();
    }
  }
  return 0;
}
