// Whatever Google's services, and those beside them, answer: it is read or refused with words, with no more
// in it than came; written anew it reads as the same. However an upload is answered, it comes to its end,
// and sends only what it has. The first byte says which answer it is.

#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/cloud_build.hpp"
#include "dockline/gcp/storage.hpp"

#include "core/json.hpp"
#include "fuzz/listing.hpp"
#include "gcp/aws_request.hpp"
#include "gcp/cloud_build_requests.hpp"
#include "gcp/credential_source.hpp"
#include "gcp/google_error.hpp"
#include "gcp/resumable_upload.hpp"
#include "gcp/retry_schedule.hpp"
#include "gcp/storage_requests.hpp"
#include "gcp/token_requests.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::fuzz {

using namespace gcp;
using namespace std::chrono_literals;

void list(listing& to, const pushed_image& of) { to(of.name, of.digest); }
void list(listing& to, const build_record& of) {
  to(of.id, of.project, of.region, of.status, of.status_text, of.status_detail, of.log_url, of.logs_bucket,
     of.create_time, of.start_time, of.finish_time, of.failure_type, of.failure_detail, of.warnings,
     of.images, of.tags, of.step_names, of.step_statuses, of.exit_code);
}
void list(listing& to, const build_page& of) { to(of.builds, of.next); }
void list(listing& to, const object_facts& of) { to(of.size, of.crc32c, of.generation); }
void list(listing& to, const stored_bucket& of) { to(of.name, of.location, of.project_number); }
void list(listing& to, const aws_keys& of) { to(of.access_key, of.secret_key, of.session_token); }

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

template <class T>
void same_anew(std::string_view text, const T& found, const std::optional<T>& again) {
  listing listed;
  listed(found);
  // A byte that is no UTF-8 is three in its place; a build's region is a part of its name.
  require(listed.held() <= 6 * text.size());
  if (!again) return;
  listing relisted;
  relisted(*again);
  require(listed.text() == relisted.text());
}

// Of what cannot be refused.
template <class Read>
void check_plain(std::string_view text, Read read) {
  const auto anew = written_again(text);
  using found = decltype(read(text));
  same_anew<found>(text, read(text), anew ? std::optional<found>(read(*anew)) : std::nullopt);
}

template <class Read>
void check(std::string_view text, Read read) {
  diagnostics why;
  const auto found = read(text, why);
  require(found.has_value() == why.empty());
  if (!found) {
    require(found.error() == errc::unexpected_answer || found.error() == errc::bad_configuration);
    return;
  }
  using value = std::decay_t<decltype(*found)>;
  std::optional<value> again;
  if (const auto anew = written_again(text)) {
    const auto second = read(*anew, why);
    require(second.has_value());
    again = *second;
  }
  same_anew<value>(text, *found, again);
}

void check_build(const build_record& build) {
  require(!build.id.empty() && build.step_names.size() == build.step_statuses.size());
  require(docker_step_of(build) >= 0 &&
          docker_step_of(build) <= static_cast<int>(std::max<std::size_t>(build.step_names.size(), 1)) - 1);
  if (build.status != build_status::unknown) require(build.status_text == to_string(build.status));
  const log_place log = log_of(build);
  require(log.bucket.find('/') == log.bucket.npos && log.bucket.empty() == log.object.empty());
}

void check_subject(std::string_view text, bool json) {
  token_format format;
  format.json = json;
  format.field = "id_token";
  diagnostics why;
  const auto token = read_subject(text, format, "where", why);
  require(token.has_value() == why.empty());
  if (token) require(!token->empty() && token->size() <= 3 * text.size());
  if (!token)
    require(token.error() == errc::bad_configuration && why.client_message().starts_with("where: "));
}

// The region is a line of its own before the keys.
void check_aws(std::string_view text) {
  const std::string_view region = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(region.size() + 1, text.size()));
  check_plain(text, [](auto body) { return read_aws_keys(body); });
  diagnostics why;
  const auto token =
      sign_aws_request(read_aws_keys(text), "https://sts.{region}.amazonaws.com?Action=Get&Version=1", region,
                       "//iam/pool", clock_time(1'700'000'000s), why);
  require(token.has_value() == why.empty());
  const auto stays = [](char c) {
    return std::string_view("%-_.~").find(c) != std::string_view::npos || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (token) require(std::ranges::all_of(*token, stays));
}

void check_refusal(int status, std::string_view body) {
  api_answer refusal;
  refusal.head.status = status;
  refusal.body = body;
  refusal.head.fields.push_back({"Date", std::string(body.substr(0, 29))});
  (void)may_pass(refusal);
  credential_source who;
  who.who = authorized_user();
  diagnostics why;
  const clock_time now(1'700'000'000s);
  require(explain_refusal(who, refusal, now, why) == errc::token_refused && !why.client_message().empty());
  require(static_cast<bool>(code_of_answer(status, body, "Cloud Build", why)));
  for (const char c : why.client_message() + why.server_message())
    require(static_cast<unsigned char>(c) >= ' ');
}

void check_texts(std::string_view text) {
  const auto pause = read_retry_after(text);
  require(pause >= 0ms && pause <= 24h);
  (void)read_first_byte(text);
  (void)is_host_name(text);
  external_account who;
  who.audience = "//iam.googleapis.com/projects/" + std::string(text);
  for (const char c : project_number(who)) require(c >= '0' && c <= '9');
  const std::string region = region_of_pool(text);
  if (!region.empty()) require(text.find("/locations/" + region + "/workerPools/") != text.npos);
  const std::string value = ini_value(text, "core", "project");
  require(value.find('\n') == value.npos && text.find(value) != text.npos);
  if (wrong_bucket_name(std::string(text)).empty()) require(text.size() >= 3 && text.size() <= 222);
}

// Lines "STATUS|RANGE|LOCATION|RETRY-AFTER|BODY", each the answer to what is asked next; when there are no
// more, nobody answers. Before them: how many bytes there are, and how much of them is one piece.
class upload_check {
 public:
  explicit upload_check(std::string_view text)
      : total_(text.empty() ? 0 : std::uint64_t{static_cast<unsigned char>(text[0])} * 50'000),
        answers_(text.substr(std::min<std::size_t>(text.size(), 2))) {
    const bool may_create = text.size() > 1 && (text[1] & 1) != 0;
    piece_ = (text.size() > 1 && (text[1] & 2) != 0 ? 4 : 1) * resumable_upload::unit;
    retry_options options;
    options.budget = 60s;
    upload_.emplace(piece_, piece_, may_create, retry_schedule(options, [] { return 0.5; }));
  }

  void run() {
    using step = resumable_upload::step;
    // An answer may forget all that was sent, for which it is made again; a source has less than 64 pieces.
    const auto most = 1000 + 200 * std::ranges::count(answers_, '\n');
    for (std::ptrdiff_t steps = 0; upload_->next() != step::done && upload_->next() != step::failed;
         ++steps) {
      require(steps <= most);
      take(upload_->next());
      require(upload_->persisted() <= fed_ && upload_->from() <= fed_);
    }
    require((upload_->next() == step::failed) == (upload_->why() != resumable_upload::failure::none));
  }

 private:
  void take(resumable_upload::step which) {
    using step = resumable_upload::step;
    switch (which) {
      case step::need_data: {
        const std::uint64_t some = std::min(piece_, total_ - fed_);
        fed_ += some;
        if (some > 0) upload_->feed(some);
        if (some < piece_) upload_->feed_end("AAAAAA==");
        return;
      }
      case step::send_whole: require(fed_ <= piece_ && fed_ == total_); return answer();
      case step::send:
        require(upload_->from() <= upload_->to() && upload_->to() <= fed_ && !upload_->session().empty());
        require(upload_->to() - upload_->from() <= piece_);
        if (!upload_->last()) require((upload_->to() - upload_->from()) % resumable_upload::unit == 0);
        require(upload_->content_range().starts_with("bytes "));
        return answer();
      case step::ask: require(upload_->content_range().starts_with("bytes */")); return answer();
      case step::open_session: return answer();
      case step::pause:
        require(upload_->delay() >= 0ms && upload_->delay() <= 60s);
        now_ += upload_->delay();
        return upload_->resume(now_);
      case step::produce_anew: fed_ = 0; return upload_->resume(now_);
      case step::create_bucket:
      case step::discard: return upload_->resume(now_);
      case step::look: return look();
      case step::done:
      case step::failed: return;
    }
  }

  std::optional<api_answer> next() {
    if (answers_.empty()) return std::nullopt;
    std::string_view line = answers_.substr(0, answers_.find('\n'));
    answers_.remove_prefix(std::min(line.size() + 1, answers_.size()));
    const auto part = [&line] {
      const std::string_view own = line.substr(0, line.find('|'));
      line.remove_prefix(std::min(own.size() + 1, line.size()));
      return std::string(own);
    };
    api_answer made;
    for (const char c : part().substr(0, 3)) made.head.status = made.head.status * 10 + (c & 15) % 10;
    for (const char* name : {"Range", "Location", "Retry-After"}) made.head.fields.push_back({name, part()});
    made.body = line;
    if (made.head.status < 100) return std::nullopt;
    return made;
  }

  void answer() {
    now_ += 100ms;
    const auto came = next();
    if (!came) return upload_->lost(now_, (fed_ & 1) == 0);
    upload_->answered(read_upload_answer(*came), now_, 100ms);
  }

  void look() {
    now_ += 100ms;
    const auto came = next();
    if (!came) return upload_->lost(now_);
    std::optional<object_facts> there;
    if (came->status() / 100 == 2) there = read_object_facts(came->body);
    upload_->looked(there, came->status() != 403, now_);
  }

  std::uint64_t total_;
  std::uint64_t piece_ = 0;
  std::uint64_t fed_ = 0;
  std::string_view answers_;
  std::optional<resumable_upload> upload_;
  resumable_upload::time now_{};
};

}  // namespace

}  // namespace dockline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  using namespace dockline::fuzz;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  diagnostics why;
  switch (data[0] % 14) {
    case 0:
      check(text, [](std::string_view body, diagnostics& words) { return gcp::read_build(body, words); });
      if (const auto build = gcp::read_build(text, why)) {
        check_build(*build);
        require(build->raw == text);
      }
      break;
    case 1:
      check(text, [](auto body, diagnostics& words) { return gcp::read_operation(body, words); });
      if (const auto build = gcp::read_operation(text, why)) check_build(*build);
      break;
    case 2:
      check(text, [](auto body, diagnostics& words) { return gcp::read_build_page(body, words); });
      break;
    case 3: check_plain(text, [](auto body) { return gcp::read_object_facts(body); }); break;
    case 4: {
      check_plain(text, [](auto body) { return gcp::read_bucket(body); });
      (void)gcp::has_bucket(text, "bucket");
      const auto wanted = gcp::permissions_for_builds();
      require(gcp::missing_in(text, wanted).size() <= wanted.size());
      break;
    }
    case 5:
    case 6: upload_check(text).run(); break;
    case 7: check_subject(text, true); break;
    case 8: check_subject(text, false); break;
    case 9: check_plain(text, [](auto body) { return gcp::read_next_refresh_token(body); }); break;
    case 10: check_plain(text, [](auto body) { return gcp::read_project_id(body); }); break;
    case 11: check_aws(text); break;
    case 12:
      if (!text.empty()) check_refusal(300 + 2 * data[1], text.substr(1));
      break;
    default: check_texts(text); break;
  }
  return 0;
}
