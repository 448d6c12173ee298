#include "gcp/resumable_upload.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// A service that drops an upload this often will drop it again.
constexpr int most_restarts = 5;

// A request should take longer than what comes around it, and not so long that losing it hurts.
constexpr auto quick = 2s;
constexpr auto slow = 16s;

// How many bytes "bytes=0-E" stands for; nothing for another form.
std::optional<std::uint64_t> bytes_of(std::string_view range) {
  if (range.empty()) return std::uint64_t{0};
  constexpr std::string_view prefix = "bytes=0-";
  if (!range.starts_with(prefix)) return std::nullopt;
  range.remove_prefix(prefix.size());
  std::uint64_t last = 0;
  const auto [end, code] = std::from_chars(range.data(), range.data() + range.size(), last);
  if (code != std::errc() || end != range.data() + range.size() || last == UINT64_MAX) return std::nullopt;
  return last + 1;
}

bool is_success(int status) { return status == 200 || status == 201; }

bool passes(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

}  // namespace

resumable_upload::resumable_upload(std::uint64_t whole, std::uint64_t largest, bool may_create_bucket,
                                   retry_schedule attempts)
    : whole_(whole),
      largest_(std::max(largest / unit * unit, unit)),
      slice_(largest_),
      may_create_bucket_(may_create_bucket),
      attempts_(std::move(attempts)) {}

void resumable_upload::feed(std::uint64_t size) {
  fed_ += size;
  advance();
}

void resumable_upload::feed_end(std::string crc32c) {
  ended_ = true;
  crc32c_ = std::move(crc32c);
  advance();
}

// What comes next where nothing is in the way.
void resumable_upload::advance() {
  if (session_.empty()) {
    step_ = ended_ && fed_ <= whole_   ? step::send_whole
            : ended_ || fed_ >= whole_ ? step::open_session
                                       : step::need_data;
    return;
  }
  const std::uint64_t held = fed_ - persisted_;
  if (ended_ && held <= slice_) {
    to_ = fed_;
    step_ = step::send;
  } else if (held >= unit) {
    to_ = persisted_ + std::min(held / unit * unit, slice_);
    step_ = step::send;
  } else {
    step_ = step::need_data;
  }
}

std::string resumable_upload::content_range() const {
  const std::string total = ended_ ? std::to_string(fed_) : "*";
  if (step_ == step::ask) return "bytes */" + total;
  if (to_ == persisted_) return "bytes */" + total;
  return "bytes " + std::to_string(persisted_) + '-' + std::to_string(to_ - 1) + '/' + (last() ? total : "*");
}

void resumable_upload::fail(failure how) {
  failure_ = how;
  step_ = step::failed;
}

void resumable_upload::pause_before(step after, time now, bool reached, std::chrono::milliseconds asked_for,
                                    failure otherwise) {
  const auto delay = attempts_.failed(now, reached, asked_for);
  if (!delay) return fail(otherwise);
  delay_ = *delay;
  after_ = after;
  step_ = step::pause;
}

// With a new session, and all bytes once more.
void resumable_upload::begin_anew(time now, failure otherwise) {
  if (++restarts_ > most_restarts) return fail(otherwise);
  session_.clear();
  persisted_ = fed_ = to_ = 0;
  ended_ = false;
  crc32c_.clear();
  pause_before(step::produce_anew, now, true, {}, otherwise);
}

void resumable_upload::confirm(std::string_view range, time now, std::chrono::milliseconds took) {
  const auto has = bytes_of(range);
  // Fewer than it said before, or more than it was sent: it does not know itself, and what it forgot is no
  // longer held.
  if (!has || *has < persisted_ || *has > std::max(to_, persisted_)) return begin_anew(now, failure::dropped);
  const bool progress = *has > persisted_;
  const bool asked = step_ == step::ask;
  if (progress) {
    attempts_.progressed();
    persisted_ = *has;
  }
  if (!progress && !asked) return pause_before(step::send, now, true, {}, failure::lost);
  if (!asked && took > 0ms) {
    if (took < quick) slice_ = std::min(slice_ * 2, largest_);
    if (took > slow) slice_ = std::max(slice_ / 2 / unit * unit, unit);
  }
  advance();
}

bool resumable_upload::is_what_was_sent(const object_facts& object) const {
  if (object.size && *object.size != fed_) return false;
  return object.crc32c.empty() || object.crc32c == crc32c_;
}

void resumable_upload::finish(const object_facts& object, time) {
  // It cannot be whole before it was sent to its end.
  if (!ended_) return fail(failure::refused);
  stored_ = object;
  step_ = is_what_was_sent(object) ? step::done : step::discard;
}

// What is left when an answer is none of those that the step expects.
void resumable_upload::refuse_or_retry(const upload_answer& answer, step after, time now) {
  if (!passes(answer.status)) return fail(failure::refused);
  pause_before(after, now, true, answer.retry_after, failure::refused);
}

void resumable_upload::answered(const upload_answer& answer, time now, std::chrono::milliseconds took) {
  const int status = answer.status;
  attempts_.answered();
  switch (step_) {
    case step::send_whole:
    case step::open_session:
      if (status == 404 && may_create_bucket_ && !bucket_created_) {
        after_ = step_;
        step_ = step::create_bucket;
      } else if (status == 404 && bucket_created_) {
        // What was created a moment ago may not be everywhere yet.
        pause_before(step_, now, true, answer.retry_after, failure::refused);
      } else if (status == 412) {
        step_ = step::look;
      } else if (step_ == step::open_session) {
        if (!is_success(status)) return refuse_or_retry(answer, step_, now);
        session_ = answer.location;
        if (session_.empty()) return fail(failure::no_session);
        advance();
      } else if (is_success(status)) {
        finish(answer.object, now);
      } else if (status == 400 && restarts_ == 0) {
        // A checksum that does not fit: one byte was damaged on its way. If it is anything else, the service
        // will say so again.
        ++restarts_;
        pause_before(step_, now, true, {}, failure::refused);
      } else {
        refuse_or_retry(answer, step_, now);
      }
      return;
    case step::send:
      if (is_success(status)) {
        finish(answer.object, now);
      } else if (status == 308) {
        confirm(answer.range, now, took);
      } else if (status == 404 || status == 410 || status == 499) {
        begin_anew(now, failure::dropped);
      } else if (status == 412) {
        step_ = step::look;
      } else if (status == 400 && last() && restarts_ == 0) {
        begin_anew(now, failure::refused);
      } else {
        may_be_there_ = may_be_there_ || last();
        refuse_or_retry(answer, step::ask, now);
      }
      return;
    case step::ask:
      if (is_success(status)) {
        finish(answer.object, now);
      } else if (status == 308) {
        confirm(answer.range, now, {});
      } else if (status == 404 || status == 410 || status == 499) {
        // A session whose object is complete may be forgotten: a new one will find the object.
        begin_anew(now, failure::dropped);
      } else if (status == 412) {
        step_ = step::look;
      } else {
        refuse_or_retry(answer, step::ask, now);
      }
      return;
    case step::need_data:
    case step::pause:
    case step::produce_anew:
    case step::create_bucket:
    case step::look:
    case step::discard:
    case step::done:
    case step::failed: return;
  }
}

void resumable_upload::lost(time now, bool reached) {
  switch (step_) {
    case step::send_whole: may_be_there_ = true; return pause_before(step_, now, reached, {}, failure::lost);
    case step::open_session: return pause_before(step_, now, reached, {}, failure::lost);
    case step::send:
      may_be_there_ = may_be_there_ || last();
      // Less is lost the next time.
      slice_ = std::max(slice_ / 2 / unit * unit, unit);
      return pause_before(step::ask, now, reached, {}, failure::lost);
    case step::ask:
    case step::look: return pause_before(step_, now, reached, {}, failure::lost);
    case step::need_data:
    case step::pause:
    case step::produce_anew:
    case step::create_bucket:
    case step::discard:
    case step::done:
    case step::failed: return;
  }
}

void resumable_upload::resume(time now) {
  switch (step_) {
    case step::pause:
      step_ = after_;
      // How much is sent in one request may be another now.
      if (step_ == step::send) advance();
      return;
    case step::produce_anew: return advance();
    case step::create_bucket:
      bucket_created_ = true;
      step_ = after_;
      return;
    case step::discard: return begin_anew(now, failure::damaged);
    case step::need_data:
    case step::send_whole:
    case step::open_session:
    case step::send:
    case step::ask:
    case step::look:
    case step::done:
    case step::failed: return;
  }
}

void resumable_upload::looked(const std::optional<object_facts>& there, bool readable, time now) {
  if (readable && !there) {
    // Nothing has the name: the refusal was about something else, a checksum on some servers.
    return begin_anew(now, failure::damaged);
  }
  if (there) {
    stored_ = *there;
    // Before all bytes are made there is nothing to compare with.
    if (ended_ && !is_what_was_sent(*there)) return fail(failure::differs);
  }
  existed_ = !may_be_there_;
  step_ = step::done;
}

}  // namespace dockline::gcp
