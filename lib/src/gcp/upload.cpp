// An upload, moved: what resumable_upload says is done.

#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/storage.hpp"

#include "core/encoding.hpp"
#include "core/unbroken.hpp"
#include "gcp/buckets.hpp"
#include "gcp/client_state.hpp"
#include "gcp/google_error.hpp"
#include "gcp/random_name.hpp"
#include "gcp/resumable_upload.hpp"
#include "gcp/storage_calls.hpp"
#include "gcp/storage_requests.hpp"
#include "gcp/upload_news.hpp"
#include "gcp/upload_pieces.hpp"
#include "http/url.hpp"

#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

// How long a cancelled upload takes to have the service drop it.
constexpr auto farewell_to_upload = 5s;

class uploading {
 public:
  uploading(std::shared_ptr<client_state> state, source_factory source, upload_options options,
            std::shared_ptr<upload_news> news)
      : state_(std::move(state)),
        source_(std::move(source)),
        options_(std::move(options)),
        news_(std::move(news)),
        base_(state_->storage_url()),
        pieces_(state_->strand, options_.piece_size, [told = news_](byte_source& from) { told->read(from); }),
        upload_(options_.piece_size, options_.piece_size, options_.create_bucket, state_->schedule()) {}

  task<stored_object> run(diagnostics& why) {
    auto outcome = co_await go(why);
    if (outcome || upload_.session().empty()) co_return outcome;
    // Also when it was cancelled: what follows is short, and has a deadline of its own.
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    api_call call = session_call(drop_upload_session(upload_.session()));
    call.total = farewell_to_upload;
    diagnostics ignored;
    auto dropped = co_await state_->send_as(std::move(call), ignored);
    (void)dropped;
    co_return outcome.error();
  }

 private:
  using step = resumable_upload::step;

  static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

  // The way to an object that is there already, or to the upload.
  task<stored_object> go(diagnostics& why) {
    if (options_.keep_existing && options_.look_first) {
      auto found = co_await find_object(state_, options_.bucket, options_.object, why);
      // Who may write need not be allowed to look.
      if (!found && found.error() != errc::denied) co_return found.error();
      if (found && *found) {
        news_->progress(true);
        co_return std::move(**found);
      }
      why.clear();
    }
    if (auto begun = begin(why); !begun) co_return begun.error();
    while (upload_.next() != step::done && upload_.next() != step::failed) {
      auto done = co_await take_step(why);
      if (!done) co_return done.error();
      pieces_.drop_below(upload_.persisted());
    }
    if (upload_.next() == step::failed) co_return explain(why);
    news_->progress(true);
    why.clear();
    stored_object object;
    object.bucket = options_.bucket;
    object.name = options_.object;
    object.generation = upload_.stored().generation;
    object.size = upload_.stored().size.value_or(total_);
    object.crc32c = upload_.stored().crc32c;
    object.existed = upload_.existed();
    object.bucket_created = bucket_created_;
    object.bytes_sent = bytes_sent_;
    co_return object;
  }

  result<void> begin(diagnostics& why) {
    auto source = source_();
    if (!source) {
      why.set_client_message("an upload without a source of bytes");
      return errc::invalid_argument;
    }
    total_ = 0;
    pieces_.begin(std::move(source));
    return {};
  }

  task<void> take_step(diagnostics& why) {
    switch (upload_.next()) {
      case step::need_data: {
        auto size = co_await pieces_.next(why);
        if (!size) co_return size.error();
        total_ += *size;
        if (*size > 0) {
          upload_.feed(*size);
        }
        if (*size < options_.piece_size) upload_.feed_end(pieces_.crc32c_text());
        co_return result<void>();
      }
      case step::pause: {
        auto waited = co_await state_->wait(upload_.delay());
        if (!waited) co_return waited.error();
        upload_.resume(now());
        co_return result<void>();
      }
      case step::produce_anew: {
        auto begun = begin(why);
        if (!begun) co_return begun.error();
        upload_.resume(now());
        co_return result<void>();
      }
      case step::create_bucket: {
        auto created = co_await create_bucket(state_, options_, why);
        if (!created) co_return created.error();
        bucket_created_ = *created == bucket_outcome::created;
        upload_.resume(now());
        co_return result<void>();
      }
      case step::open_session: {
        auto done = co_await exchange(storage_call(open_upload_session(base_, options_)), 0, why);
        co_return done;
      }
      case step::send_whole: {
        api_call call =
            upload_whole(base_, options_, upload_.crc32c(), pieces_.bytes(0, total_), random_name("part-"));
        auto done = co_await exchange(storage_call(std::move(call)), total_, why);
        co_return done;
      }
      case step::send: {
        api_call call = continue_upload(upload_, pieces_.bytes(upload_.from(), upload_.to()));
        auto done = co_await exchange(session_call(std::move(call)), upload_.to() - upload_.from(), why);
        co_return done;
      }
      case step::ask: {
        const std::vector<http::body_part> nothing;
        auto done = co_await exchange(session_call(continue_upload(upload_, nothing)), 0, why);
        co_return done;
      }
      case step::look: {
        auto done = co_await look(why);
        co_return done;
      }
      case step::discard: {
        auto removed = co_await delete_stored(state_, options_.bucket, options_.object,
                                              upload_.stored().generation, why);
        if (!removed) co_return removed.error();
        upload_.resume(now());
        co_return result<void>();
      }
      case step::done:
      case step::failed: break;
    }
    co_return result<void>();
  }

  // One request, and what the upload makes of its answer, or of its loss.
  task<void> exchange(api_call call, std::uint64_t content, diagnostics& why) {
    const auto began = now();
    const bool asks_for_permission = upload_.session().empty();
    if (asks_for_permission)
      call.permission =
          "storage.objects.create on gs://" + options_.bucket + " (roles/storage.objectCreator)";
    const bool opens = upload_.next() == step::open_session;
    bool cancelled = false;
    result<api_answer> answer = aborted();
    if (opens) {
      // A session whose address nobody is told could not be dropped.
      auto opening = [state = state_, call](diagnostics& words) { return state->send_as(call, words); };
      answer = co_await unbroken<api_answer>(farewell_to_upload, cancelled, why, opening);
    } else {
      answer = co_await state_->send_as(call, why);
    }
    bytes_sent_ += content;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now() - began);
    if (!answer) {
      if (answer.error() == condition::cancelled || !is_transient(answer.error())) co_return answer.error();
      failure_ = answer.error();
      failure_words_ = why;
      upload_.lost(now(), answer.error() != errc::cannot_connect);
      co_return result<void>();
    }
    if (answer->status() / 100 != 2 && answer->status() != 308)
      failure_ = client_state::refusal(call, *answer, failure_words_);
    upload_answer told = read_upload_answer(*answer);
    told.location = http::resolve_reference(call.url, told.location);
    upload_.answered(told, now(), took);
    if (cancelled) co_return aborted();
    news_->sent = upload_.persisted();
    if (upload_.next() == step::done) news_->sent = total_;
    news_->progress(false);
    co_return result<void>();
  }

  task<void> look(diagnostics& why) {
    api_call call = storage_call(get_object(base_, options_.bucket, options_.object));
    auto answer = co_await state_->send_as(call, why);
    if (!answer) {
      if (answer.error() == condition::cancelled || !is_transient(answer.error())) co_return answer.error();
      failure_ = answer.error();
      failure_words_ = why;
      upload_.lost(now(), answer.error() != errc::cannot_connect);
      co_return result<void>();
    }
    std::optional<object_facts> there;
    if (answer->status() / 100 == 2) there = read_object_facts(answer->body);
    if (answer->status() == 404 || answer->status() == 403 || there) {
      upload_.looked(there, answer->status() != 403, now());
      co_return result<void>();
    }
    failure_ = client_state::refusal(call, *answer, failure_words_);
    if (!is_transient(answer->status())) {
      why = failure_words_;
      co_return failure_;
    }
    upload_.lost(now());
    co_return result<void>();
  }

  api_call storage_call(api_call call) const {
    call.anonymous = state_->options.anonymous_storage;
    return call;
  }

  // A session's URL opens its door by itself: elsewhere than at the service no token goes with it.
  api_call session_call(api_call call) const {
    call.anonymous = state_->options.anonymous_storage || !same_origin(call.url, base_);
    return call;
  }

  static bool same_origin(const std::string& one, const std::string& other) {
    diagnostics ignored;
    const auto first = http::parse_url(one, ignored);
    const auto second = http::parse_url(other, ignored);
    return first && second && first->origin() == second->origin();
  }

  error_code explain(diagnostics& why) const {
    const std::string name = "gs://" + options_.bucket + '/' + options_.object;
    why.clear();
    const auto with_last = [&](const std::string& ours) {
      why.set_client_message(ours + (failure_words_.client_message().empty() ? "" : ": ") +
                             failure_words_.client_message());
      why.set_server_message(failure_words_.server_message());
    };
    switch (upload_.why()) {
      case resumable_upload::failure::none: break;
      case resumable_upload::failure::refused:
        with_last("upload to " + name);
        return failure_ ? failure_ : make_error_code(errc::unexpected_answer);
      case resumable_upload::failure::lost:
        with_last("upload to " + name);
        return failure_ ? failure_ : make_error_code(errc::connection_lost);
      case resumable_upload::failure::dropped:
        with_last("the service dropped the upload to " + name + " again and again");
        return errc::service_failed;
      case resumable_upload::failure::differs:
        why.set_client_message(name + " is there already, with other content");
        return errc::conflict;
      case resumable_upload::failure::damaged:
        why.set_client_message("what arrived as " + name + " is not what was sent, again and again");
        return errc::service_failed;
      case resumable_upload::failure::no_session:
        why.set_client_message("upload to " + name + ": the service opened no session");
        return errc::unexpected_answer;
    }
    return errc::unexpected_answer;
  }

  std::shared_ptr<client_state> state_;
  source_factory source_;
  upload_options options_;
  std::shared_ptr<upload_news> news_;
  std::string base_;
  upload_pieces pieces_;
  resumable_upload upload_;
  std::uint64_t total_ = 0;
  std::uint64_t bytes_sent_ = 0;
  bool bucket_created_ = false;
  error_code failure_;  // the last one that was answered, or not
  diagnostics failure_words_;
};

}  // namespace

task<stored_object> upload(std::shared_ptr<client_state> state, source_factory source, upload_options options,
                           progress::event_sink on_event, diagnostics& why) {
  if (const std::string wrong = wrong_bucket_name(options.bucket); !wrong.empty()) {
    why.set_client_message("bucket \"" + options.bucket + "\": the name " + wrong);
    co_return errc::invalid_argument;
  }
  if (options.object.empty() || options.object.size() > 1024 || !is_utf8(options.object)) {
    why.set_client_message("the name of an object is 1 to 1024 bytes of UTF-8");
    co_return errc::invalid_argument;
  }
  if (options.piece_size < resumable_upload::unit || options.piece_size % resumable_upload::unit != 0) {
    why.set_client_message("the size of a piece is a multiple of 256 KiB");
    co_return errc::invalid_argument;
  }
  auto news = std::make_shared<upload_news>();
  news->listener = std::move(on_event);
  uploading run(state, std::move(source), std::move(options), news);
  auto object = co_await run.run(why);
  news->over = true;
  co_return object;
}

void start_upload(client google, source_factory source, upload_options options, progress::event_sink on_event,
                  diagnostics* why, completion_handler<stored_object> handler) {
  auto state = google.state();
  spawn<stored_object>(state->strand, why, std::move(handler),
                       [state, source = std::move(source), options = std::move(options),
                        on_event = std::move(on_event)](diagnostics& words) mutable {
                         return upload(state, std::move(source), std::move(options), std::move(on_event),
                                       words);
                       });
}

}  // namespace dockline::gcp
