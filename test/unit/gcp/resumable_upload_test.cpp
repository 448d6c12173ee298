// An upload against a model of the service, of which every request is then made to fail in every way.

#include "gcp/resumable_upload.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;
using step = resumable_upload::step;
using failure = resumable_upload::failure;

constexpr std::uint64_t unit = resumable_upload::unit;
const std::string checksum = "crc of all";

// What goes wrong with one request.
enum class fault {
  none,
  status_503,  // refused, nothing was done
  status_429,
  lost_before,      // no answer, nothing was done
  lost_after,       // no answer, all was done
  lost_in_between,  // no answer, a part of it was kept
  partial,          // an answer, but a part only was kept
  partial_odd,      // the same, and not a multiple of anything
  dropped_404,      // the session is gone
  dropped_410,
  damaged,  // one byte changed on the way
};
const std::vector<fault> all_faults = {
    fault::status_503, fault::status_429,  fault::lost_before, fault::lost_after,  fault::lost_in_between,
    fault::partial,    fault::partial_odd, fault::dropped_404, fault::dropped_410, fault::damaged};

// A strict Cloud Storage with one bucket and one object, and the driver of the upload in one.
struct world {
  explicit world(std::uint64_t source_size, std::uint64_t piece = 4 * unit)
      : size(source_size), upload(piece, piece, true, schedule()), piece_size(piece) {}

  static retry_schedule schedule() {
    retry_options options;
    options.first_delay = 1s;
    options.budget = 600s;
    return {options, [] { return 0.5; }};
  }

  std::uint64_t size;  // of the source
  resumable_upload upload;
  std::uint64_t piece_size;

  // The service.
  bool bucket = true;
  bool object = false;
  std::string object_crc = checksum;
  std::uint64_t object_size = 0;
  int sessions = 0;
  bool session_open = false;
  std::uint64_t kept = 0;
  bool tells_checksum = true;
  bool tells_size = true;
  bool damaged_content = false;

  // The driver.
  std::uint64_t given = 0;
  int requests = 0;
  std::uint64_t sent = 0;
  std::map<int, fault> faults;  // by the number of the request
  std::function<void(world&)> before;
  retry_schedule::time now;
  int sources = 1;
  std::string trace;

  fault fault_now() const {
    const auto found = faults.find(requests);
    return found == faults.end() ? fault::none : found->second;
  }

  object_facts facts() const {
    object_facts all;
    if (tells_size) all.size = object_size;
    if (tells_checksum) all.crc32c = object_crc;
    all.generation = "7";
    return all;
  }

  upload_answer store(std::uint64_t bytes, bool checked) {
    upload_answer answer;
    if (damaged_content && checked) {
      damaged_content = false;
      answer.status = 400;
      return answer;
    }
    if (object) {
      answer.status = 412;
      return answer;
    }
    object = true;
    object_size = bytes;
    if (damaged_content) object_crc = "another";
    damaged_content = false;
    answer.status = 200;
    answer.object = facts();
    return answer;
  }

  upload_answer progress() const {
    upload_answer answer;
    answer.status = 308;
    if (kept > 0) answer.range = "bytes=0-" + std::to_string(kept - 1);
    return answer;
  }

  // One request as the service does it.
  std::optional<upload_answer> serve() {
    ++requests;
    if (before) before(*this);
    const fault wrong = fault_now();
    upload_answer answer;
    if (wrong == fault::status_503 || wrong == fault::status_429) {
      answer.status = wrong == fault::status_503 ? 503 : 429;
      return answer;
    }
    if (wrong == fault::lost_before) return std::nullopt;
    if (wrong == fault::damaged && upload.next() != step::open_session) damaged_content = true;
    switch (upload.next()) {
      case step::send_whole:
        if (!bucket) {
          answer.status = 404;
        } else {
          sent += size;
          answer = store(size, true);
        }
        break;
      case step::open_session:
        if (!bucket) {
          answer.status = 404;
        } else {
          ++sessions;
          session_open = true;
          kept = 0;
          damaged_content = false;
          answer.status = 200;
          answer.location = "https://up/" + std::to_string(sessions);
        }
        break;
      case step::send: {
        const std::uint64_t bytes = upload.to() - upload.from();
        CHECK(upload.content_range().starts_with("bytes "));
        // Nothing but what is held, no hole, and the rule of 256 KiB.
        CHECK(upload.to() <= given);
        CHECK(upload.from() <= kept);
        CHECK(bytes <= piece_size);
        if (!upload.last()) CHECK(bytes % unit == 0);
        if (!upload.last()) CHECK(bytes > 0);
        sent += bytes;
        if (wrong == fault::dropped_404 || wrong == fault::dropped_410) session_open = false;
        if (!session_open) {
          answer.status = wrong == fault::dropped_410 ? 410 : 404;
          break;
        }
        const bool partly =
            wrong == fault::partial || wrong == fault::lost_in_between || wrong == fault::partial_odd;
        if (partly && bytes > unit) {
          kept = upload.from() + (wrong == fault::partial_odd ? bytes / 2 - 7 : bytes / 2 / unit * unit);
          answer = progress();
          break;
        }
        kept = std::max(kept, upload.to());
        answer = upload.last() ? store(kept, true) : progress();
        if (answer.status != 308) session_open = answer.status == 200 ? false : session_open;
        break;
      }
      case step::ask:
        CHECK(upload.content_range().starts_with("bytes */"));
        if (object && kept == size) {
          answer.status = 200;
          answer.object = facts();
        } else if (!session_open) {
          answer.status = 410;
        } else {
          answer = progress();
        }
        break;
      case step::need_data:
      case step::pause:
      case step::produce_anew:
      case step::create_bucket:
      case step::look:
      case step::discard:
      case step::done:
      case step::failed: break;
    }
    if (wrong == fault::lost_after || wrong == fault::lost_in_between) return std::nullopt;
    return answer;
  }

  bool run() {
    for (int turns = 0; turns < 400; ++turns) {
      switch (upload.next()) {
        case step::need_data: {
          trace += 'd';
          const std::uint64_t some = std::min(piece_size, size - given);
          given += some;
          if (some > 0) upload.feed(some);
          if (some < piece_size) upload.feed_end(checksum);
          break;
        }
        case step::send_whole:
        case step::open_session:
        case step::send:
        case step::ask: {
          trace += upload.next() == step::send_whole     ? 'w'
                   : upload.next() == step::open_session ? 'o'
                   : upload.next() == step::send         ? 's'
                                                         : '?';
          const auto answer = serve();
          if (answer) {
            upload.answered(*answer, now, 10ms);
          } else {
            upload.lost(now);
          }
          break;
        }
        case step::pause:
          trace += 'p';
          CHECK(upload.delay() > 0ms);
          now += upload.delay();
          upload.resume(now);
          break;
        case step::produce_anew:
          trace += 'n';
          ++sources;
          given = 0;
          upload.resume(now);
          break;
        case step::create_bucket:
          trace += 'b';
          bucket = true;
          upload.resume(now);
          break;
        case step::look:
          trace += 'l';
          upload.looked(object ? std::optional(facts()) : std::nullopt, true, now);
          break;
        case step::discard:
          trace += 'x';
          object = false;
          object_crc = checksum;
          upload.resume(now);
          break;
        case step::done:
        case step::failed: return upload.next() == step::done;
      }
    }
    FAIL("no end: " << trace);
    return false;
  }
};

}  // namespace

TEST_SUITE("gcp/resumable_upload") {
  TEST_CASE("what is small goes in one request") {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, 4 * unit - 1}) {
      world w(size);
      CHECK(w.run());
      CHECK(w.trace == "dw");
      CHECK_FALSE(w.upload.existed());
      CHECK(w.upload.stored().generation == "7");
    }
  }

  TEST_CASE("what is large goes by pieces, each sent once") {
    struct row {
      std::uint64_t size;
      const char* trace;
    };
    for (const row& one : {row{4 * unit, "dosds"}, row{4 * unit + 1, "dosds"}, row{8 * unit - 1, "dosds"},
                           row{8 * unit, "dosdsds"}, row{8 * unit + 1, "dosdsds"}}) {
      world w(one.size);
      CHECK(w.run());
      CHECK(w.trace == one.trace);
      CHECK(w.sent == one.size);
      CHECK(w.object_size == one.size);
    }
  }

  TEST_CASE("the ranges, as text") {
    world w(4 * unit);
    std::vector<std::string> ranges;
    w.before = [&](world& now) {
      if (now.upload.next() == step::send) ranges.push_back(now.upload.content_range());
    };
    CHECK(w.run());
    // That the first piece was the last one is known too late.
    CHECK(ranges == std::vector<std::string>{"bytes 0-1048575/*", "bytes */1048576"});
    ranges.clear();
    world other(4 * unit + 5);
    other.before = w.before;
    CHECK(other.run());
    CHECK(ranges == std::vector<std::string>{"bytes 0-1048575/*", "bytes 1048576-1048580/1048581"});
  }

  TEST_CASE("every request fails once in every way, and the object arrives all the same") {
    for (const std::uint64_t size : {std::uint64_t{100}, 4 * unit, 10 * unit + 77}) {
      world whole(size);
      REQUIRE(whole.run());
      for (const fault wrong : all_faults) {
        for (int at = 1; at <= whole.requests; ++at) {
          CAPTURE(size);
          CAPTURE(static_cast<int>(wrong));
          CAPTURE(at);
          world w(size);
          w.faults[at] = wrong;
          CHECK(w.run());
          CAPTURE(w.trace);
          CHECK(w.object);
          CHECK(w.object_size == size);
          CHECK(w.object_crc == checksum);
          CHECK_FALSE(w.upload.existed());
          const bool begun_anew = w.sources > 1;
          if (!begun_anew && size > 4 * unit) CHECK(w.sent <= size + 4 * unit);
        }
      }
    }
  }

  TEST_CASE("two faults, of every pair of kinds, at every pair of places") {
    const std::uint64_t size = 6 * unit + 3;
    world whole(size);
    REQUIRE(whole.run());
    for (const fault first : all_faults) {
      for (const fault second : all_faults) {
        for (int at = 1; at <= whole.requests; ++at) {
          for (int gap = 1; gap <= 3; ++gap) {
            world w(size);
            w.faults[at] = first;
            w.faults[at + gap] = second;
            const bool done = w.run();
            CAPTURE(static_cast<int>(first));
            CAPTURE(static_cast<int>(second));
            CAPTURE(at);
            CAPTURE(gap);
            CAPTURE(w.trace);
            // Two damages are one too many for a refusal by the checksum.
            if (first == fault::damaged && second == fault::damaged && !done) continue;
            const bool ended_by_400 = !done && (first == fault::damaged || second == fault::damaged);
            if (ended_by_400) {
              CHECK(w.upload.why() == failure::refused);
              continue;
            }
            CHECK(done);
            CHECK(w.object_size == size);
            CHECK(w.object_crc == checksum);
          }
        }
      }
    }
  }

  TEST_CASE("a service that never answers, or always refuses") {
    for (const fault wrong : {fault::status_503, fault::lost_before}) {
      world w(10 * unit);
      for (int i = 1; i < 400; ++i) w.faults[i] = wrong;
      CHECK_FALSE(w.run());
      CHECK(w.upload.why() == (wrong == fault::status_503 ? failure::refused : failure::lost));
    }
    world dropped(10 * unit);
    for (int i = 2; i < 400; i += 2) dropped.faults[i] = fault::dropped_410;
    CHECK_FALSE(dropped.run());
    CHECK(dropped.upload.why() == failure::dropped);
    CHECK(dropped.sources <= 7);
  }

  TEST_CASE("a fault at every third request ends never, as long as there is progress") {
    world w(100 * unit);
    for (int i = 3; i < 400; i += 3) w.faults[i] = fault::status_503;
    CHECK(w.run());
    CHECK(w.object_size == 100 * unit);
  }

  TEST_CASE("the bucket is created once, and then waited for") {
    for (const std::uint64_t size : {std::uint64_t{5}, 5 * unit}) {
      world w(size);
      w.bucket = false;
      CHECK(w.run());
      CHECK(w.trace.starts_with(size == 5 ? "dwbw" : "dobo"));
      world slow(size);
      slow.bucket = false;
      slow.before = [](world& now) {
        if (now.requests == 2) now.bucket = false;
        if (now.requests == 3) now.bucket = true;
      };
      CHECK(slow.run());
      CHECK(slow.trace.starts_with(size == 5 ? "dwbwpw" : "dobopo"));
    }
    resumable_upload never(unit, unit, false, world::schedule());
    never.feed_end(checksum);
    upload_answer missing;
    missing.status = 404;
    never.answered(missing, {});
    CHECK(never.why() == failure::refused);
  }

  TEST_CASE("an object that is there: of the same content, of another, and before all of it is made") {
    world same(5 * unit);
    same.object = true;
    same.object_size = 5 * unit;
    CHECK(same.run());
    CHECK(same.upload.existed());
    CHECK(same.trace == "dosdsl");
    world other(100);
    other.object = true;
    other.object_size = 100;
    other.object_crc = "another";
    CHECK_FALSE(other.run());
    CHECK(other.upload.why() == failure::differs);

    resumable_upload early(unit, unit, true, world::schedule());
    early.feed(unit);
    CHECK(early.next() == step::open_session);
    upload_answer there;
    there.status = 412;
    early.answered(there, {});
    CHECK(early.next() == step::look);
    early.looked(object_facts(), true, {});
    CHECK(early.next() == step::done);
    CHECK(early.existed());
  }

  TEST_CASE("what may not be read is taken for what it is called") {
    resumable_upload one(unit, unit, true, world::schedule());
    one.feed(5);
    one.feed_end(checksum);
    upload_answer there;
    there.status = 412;
    one.answered(there, {});
    one.looked(std::nullopt, false, {});
    CHECK(one.next() == step::done);
    CHECK(one.existed());
  }

  TEST_CASE("a checksum that only the answer shows to be wrong: removed, and sent anew") {
    world w(100);
    int times = 0;
    w.before = [&](world& now) {
      if (++times == 1) now.object_crc = "damaged";
    };
    CHECK(w.run());
    CHECK(w.trace == "dwxpndw");
    CHECK(w.sources == 2);
  }

  TEST_CASE("a server that tells less") {
    world w(9 * unit);
    w.tells_checksum = false;
    w.tells_size = false;
    CHECK(w.run());
    upload_answer bare;
    bare.status = 200;
    resumable_upload one(unit, unit, true, world::schedule());
    one.feed(unit);
    one.answered(bare, {});
    CHECK(one.why() == failure::no_session);
  }

  TEST_CASE("answers that make no sense begin it anew, or end it") {
    struct row {
      const char* range;
      bool anew;
    };
    for (const row& one : {row{"bytes=0-4194303", true}, row{"bytes=5-10", true}, row{"bytes=0-", true},
                           row{"bytes=0-99999999999999999999", true}, row{"items", true}}) {
      CAPTURE(one.range);
      resumable_upload upload(unit, unit, true, world::schedule());
      upload.feed(unit);
      upload_answer answer;
      answer.status = 200;
      answer.location = "https://up/1";
      upload.answered(answer, {});
      REQUIRE(upload.next() == step::send);
      answer.status = 308;
      answer.range = one.range;
      upload.answered(answer, {});
      REQUIRE(upload.next() == step::pause);
      upload.resume({});
      CHECK((upload.next() == step::produce_anew) == one.anew);
    }
    // Complete before it was sent to its end.
    resumable_upload upload(unit, unit, true, world::schedule());
    upload.feed(unit);
    upload_answer answer;
    answer.status = 200;
    answer.location = "https://up/1";
    upload.answered(answer, {});
    upload.answered(answer, {});
    CHECK(upload.why() == failure::refused);
  }

  TEST_CASE("the size of a request follows the line") {
    resumable_upload upload(8 * unit, 8 * unit, true, world::schedule());
    upload.feed(8 * unit);
    upload_answer answer;
    answer.status = 200;
    answer.location = "https://up/1";
    upload.answered(answer, {});
    CHECK(upload.to() == 8 * unit);
    // One that was lost is followed by a smaller one.
    upload.lost({});
    upload.resume({});
    REQUIRE(upload.next() == step::ask);
    upload_answer nothing;
    nothing.status = 308;
    upload.answered(nothing, {});
    CHECK(upload.to() == 4 * unit);
    // A slow line: again smaller.
    nothing.range = "bytes=0-" + std::to_string(4 * unit - 1);
    upload.answered(nothing, {}, 20s);
    CHECK(upload.to() - upload.from() == 2 * unit);
    // A quick one: larger.
    nothing.range = "bytes=0-" + std::to_string(6 * unit - 1);
    upload.answered(nothing, {}, 100ms);
    CHECK(upload.to() - upload.from() == 2 * unit);
    upload.feed(8 * unit);
    CHECK(upload.to() - upload.from() == 4 * unit);
  }
}

}  // namespace dockline::gcp
