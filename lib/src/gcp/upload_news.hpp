#pragma once

#include "dockline/core/byte_source.hpp"
#include "dockline/progress/event.hpp"

#include "progress/event_now.hpp"

#include <chrono>
#include <utility>

namespace dockline::gcp {

// Where the events of one upload go. A read that is under way may outlast it by a moment.
struct upload_news {
  progress::event_sink listener;
  packing_progress packed;
  std::uint64_t sent = 0;
  progress::event_time last = std::chrono::system_clock::now();
  bool over = false;

  void tell(progress::event_body body) {
    if (!over && listener) listener(progress::event_now(std::move(body)));
  }
  void progress(bool complete) {
    const auto now = std::chrono::system_clock::now();
    // A person sees no more, and a log needs less.
    if (!complete && now - last < std::chrono::milliseconds(100)) return;
    last = now;
    progress::context_progress so_far;
    so_far.entries = packed.entries;
    so_far.bytes = packed.bytes;
    so_far.bytes_sent = sent;
    so_far.complete = complete;
    tell(so_far);
  }
  void read(byte_source& source) {
    for (auto& text : source.take_warnings()) tell(progress::warning{std::move(text)});
    packed = source.packed();
    progress(false);
  }
};

}  // namespace dockline::gcp
