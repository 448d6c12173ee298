#pragma once

// How an upload goes on after each answer, without I/O: what is sent next, what is asked, when to begin anew.

#include "gcp/retry_schedule.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dockline::gcp {

// What a service tells of an object. Whatever it did not tell is empty.
struct object_facts {
  object_facts() = default;

  std::optional<std::uint64_t> size;
  std::string crc32c;
  std::string generation;
};

// What an answer says, of all that the upload looks at.
struct upload_answer {
  upload_answer() = default;

  int status = 0;
  std::string location;  // of a new session
  std::string range;     // "bytes=0-E": what the service has
  std::chrono::milliseconds retry_after{};
  object_facts object;  // of a success
};

class resumable_upload {
 public:
  using time = retry_schedule::time;

  // All pieces but the last one are multiples of this.
  static constexpr std::uint64_t unit = 256 * 1024;

  enum class step {
    need_data,      // feed() or feed_end()
    send_whole,     // all of it in one request
    open_session,   // a request whose answer has the session's URL
    send,           // from() to to() in the session
    ask,            // how much of it the service has
    pause,          // for delay(), then resume()
    produce_anew,   // another source from its start; what was fed is forgotten; then resume()
    create_bucket,  // then resume(), if that succeeded
    look,           // at the object that is there; then looked()
    discard,        // the object that was stored is not what was sent: remove it, then resume()
    done,
    failed,
  };

  // Why it failed.
  enum class failure {
    none,
    refused,  // by the last answer
    lost,     // there was no answer, for too long
    dropped,  // the service dropped the upload again and again
    differs,  // an object of that name has other content
    damaged,  // what arrived is not what was sent, again and again
    no_session,
  };

  // A source that ends within `whole` bytes goes in one request; `largest` is what one request of a session
  // carries at most, a multiple of `unit`.
  resumable_upload(std::uint64_t whole, std::uint64_t largest, bool may_create_bucket,
                   retry_schedule attempts);

  step next() const noexcept { return step_; }
  failure why() const noexcept { return failure_; }

  // More bytes of the source are held; all of them are, and this is their CRC32C.
  void feed(std::uint64_t size);
  void feed_end(std::string crc32c);

  // What to send.
  std::uint64_t from() const noexcept { return persisted_; }
  std::uint64_t to() const noexcept { return to_; }
  bool last() const noexcept { return ended_ && to_ == fed_; }
  // "bytes 0-9/*", "bytes 5-9/10", "bytes */10", and for a question "bytes */*".
  std::string content_range() const;
  const std::string& session() const noexcept { return session_; }
  const std::string& crc32c() const noexcept { return crc32c_; }

  // The service has everything below; it need not be held any more.
  std::uint64_t persisted() const noexcept { return persisted_; }

  // What came of the step: an answer after `took`, or none. `reached`: somebody was there.
  void answered(const upload_answer& answer, time now, std::chrono::milliseconds took = {});
  void lost(time now, bool reached = true);

  std::chrono::milliseconds delay() const noexcept { return delay_; }
  void resume(time now);
  // The object that has the name; none when it is not there; nothing known about it when `readable` is false.
  void looked(const std::optional<object_facts>& there, bool readable, time now);

  // The object that is stored, once it is done.
  const object_facts& stored() const noexcept { return stored_; }
  // Whether it was there before, or is somebody else's doing.
  bool existed() const noexcept { return existed_; }

 private:
  void advance();
  void pause_before(step after, time now, bool reached, std::chrono::milliseconds asked_for,
                    failure otherwise);
  void confirm(std::string_view range, time now, std::chrono::milliseconds took);
  void begin_anew(time now, failure otherwise);
  void finish(const object_facts& object, time now);
  void fail(failure how);
  void refuse_or_retry(const upload_answer& answer, step after, time now);
  bool is_what_was_sent(const object_facts& object) const;

  std::uint64_t whole_;
  std::uint64_t largest_;
  std::uint64_t slice_;
  bool may_create_bucket_;
  bool bucket_created_ = false;
  retry_schedule attempts_;

  step step_ = step::need_data;
  step after_ = step::need_data;  // the pause, or what was interrupted
  failure failure_ = failure::none;
  std::chrono::milliseconds delay_{};

  std::string session_;
  std::uint64_t fed_ = 0;
  std::uint64_t persisted_ = 0;
  std::uint64_t to_ = 0;
  bool ended_ = false;
  std::string crc32c_;
  int restarts_ = 0;
  // A request that may have completed the object got no answer: a later one may find it there.
  bool may_be_there_ = false;
  object_facts stored_;
  bool existed_ = false;
};

}  // namespace dockline::gcp
