#include "engine/log_frames.hpp"

#include <algorithm>

namespace dockline::engine {

result<std::optional<log_frames::piece>> log_frames::next() {
  for (;;) {
    if (failure_) return failure_;
    if (chunk_.empty()) return std::optional<piece>();
    if (left_ != 0) {
      const std::string_view bytes = chunk_.substr(0, left_);
      chunk_.remove_prefix(bytes.size());
      left_ -= static_cast<std::uint32_t>(bytes.size());
      return std::optional(piece{stream_, bytes});
    }
    while (header_size_ < header_.size() && !chunk_.empty()) {
      header_[header_size_++] = static_cast<unsigned char>(chunk_.front());
      chunk_.remove_prefix(1);
    }
    if (header_size_ < header_.size()) return std::optional<piece>();
    header_size_ = 0;
    // 0 is standard input, which the daemon may echo; 3 is the daemon's own word on a log that it cannot read
    // any further.
    if (header_[0] > 3 || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
      failure_ = errc::malformed_stream;
      continue;
    }
    stream_ = header_[0] >= 2 ? progress::output_stream::err : progress::output_stream::out;
    left_ = std::uint32_t{header_[4]} << 24 | std::uint32_t{header_[5]} << 16 |
            std::uint32_t{header_[6]} << 8 | std::uint32_t{header_[7]};
  }
}

error_code log_frames::finish() const noexcept {
  if (failure_) return failure_;
  return header_size_ == 0 && left_ == 0 ? error_code() : errc::connection_lost;
}

}  // namespace dockline::engine
