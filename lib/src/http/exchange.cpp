#include "http/exchange.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/transfer.hpp"

#include <array>
#include <exception>
#include <memory>
#include <utility>

namespace dockline::http {
namespace {

// Two of them are in use while a source is sent: one on its way, one being filled.
constexpr std::size_t block_size = 256 * 1024;
constexpr std::size_t read_size = 64 * 1024;

std::uint64_t size_of(const request& what) {
  if (what.parts.empty()) return what.body.size();
  std::uint64_t size = 0;
  for (const auto& part : what.parts) size += part.bytes.size();
  return size;
}

}  // namespace

// What the sending and the receiving side share. It lives until both are over, also when the exchange is
// gone.
struct exchange::wire : std::enable_shared_from_this<wire> {
  wire(asio::any_io_executor where, std::unique_ptr<stream> own, deadlines bounds)
      : connection(std::move(own)),
        executor(std::move(where)),
        limits(bounds),
        head_guard(executor),
        idle_guard(executor),
        total_guard(executor) {}

  std::unique_ptr<stream> connection;
  asio::any_io_executor executor;
  deadlines limits;
  watchdog head_guard;
  watchdog idle_guard;
  watchdog total_guard;
  error_code source_failure;
  std::string source_words;
  std::uint64_t sent_body = 0;
  bool sent_some = false;
  bool sent_all = false;
  bool answered = false;  // the head of the answer is there

  void hang_up() {
    if (connection) connection->close();
  }
  void arm(watchdog& guard, std::chrono::milliseconds after) {
    guard.arm(after, [weak = weak_from_this()] {
      if (auto alive = weak.lock()) alive->hang_up();
    });
  }
  void stirred() {
    if (limits.idle.count() > 0) arm(idle_guard, limits.idle);
  }
  bool expired() const { return head_guard.expired() || idle_guard.expired() || total_guard.expired(); }
  void disarm() {
    head_guard.disarm();
    idle_guard.disarm();
    total_guard.disarm();
  }

  task<void> write(asio::const_buffer one, asio::const_buffer two = {}, asio::const_buffer three = {}) {
    std::array<asio::const_buffer, 3> blocks;
    blocks[0] = one;
    blocks[1] = two;
    blocks[2] = three;
    return write_all(*connection, blocks, [this] {
      sent_some = true;
      stirred();
    });
  }

  void break_word(std::uint64_t real, std::uint64_t announced) {
    source_failure = errc::file_changed;
    source_words =
        "the body has " + std::to_string(real) + " bytes, " + std::to_string(announced) + " were announced";
  }

  task<void> send(std::string head, request what) {
    if (!what.source) {
      const asio::const_buffer first =
          what.parts.empty() ? asio::buffer(what.body) : what.parts.front().bytes;
      auto written = co_await write(asio::buffer(head), first);
      if (written) sent_body = first.size();
      for (std::size_t i = 1; written && i < what.parts.size(); ++i) {
        written = co_await write(what.parts[i].bytes);
        if (written) sent_body += what.parts[i].bytes.size();
      }
      co_return written;
    }
    if (auto written = co_await write(asio::buffer(head)); !written) co_return written;
    auto sent = co_await send_source(what.source, what.on_sent);
    co_return sent;
  }

  // Neither side may wait for more where no more comes, and only hanging up tells the daemon.
  task<void> send_or_hang_up(std::string head, request what) {
    result<void> sent;
    try {
      sent = co_await send(std::move(head), std::move(what));
    } catch (...) {  // of the source, or of who is told of its progress
      source_failure = code_of(std::current_exception());
      sent = source_failure;
    }
    sent_all = sent.has_value();
    if (source_failure) {
      hang_up();
    } else if (sent && !answered) {
      arm(head_guard, limits.head);
    }
    co_return sent;
  }

  // One block is filled while the other one is on its way.
  task<void> send_source(std::shared_ptr<byte_source> source,
                         std::function<void(std::uint64_t, bool)> on_sent) {
    struct blocks {
      std::array<std::unique_ptr<char[]>, 2> memory = {std::make_unique_for_overwrite<char[]>(block_size),
                                                       std::make_unique_for_overwrite<char[]>(block_size)};
      std::shared_ptr<byte_source> source;
    };
    auto pair = std::make_shared<blocks>();
    pair->source = source;
    const bool chunked = !source->size();
    std::uint64_t total = 0;
    std::size_t turn = 0;
    auto filling = start_reading(executor, *source, asio::buffer(pair->memory[turn].get(), block_size), pair);
    for (;;) {
      auto filled = co_await filling.get();
      if (co_await is_cancelled()) co_return aborted();
      if (!filled) {
        source_failure = filled.error();
        source_words = source->why().client_message();
        co_return source_failure;
      }
      if (*filled == 0) break;
      if (on_sent) on_sent(total, false);
      const auto block = asio::buffer(pair->memory[turn].get(), *filled);
      // What goes beyond the announced length would be the start of another request.
      if (const auto size = source->size(); size && block.size() > *size - total) {
        break_word(total + block.size(), *size);
        co_return source_failure;
      }
      turn = 1 - turn;
      filling = start_reading(executor, *source, asio::buffer(pair->memory[turn].get(), block_size), pair);
      const std::string before = chunked ? chunk_head(block.size()) : std::string();
      result<void> written;
      if (chunked) {
        written = co_await write(asio::buffer(before), block, asio::buffer("\r\n", 2));
      } else {
        written = co_await write(block);
      }
      if (!written) co_return written;
      total += block.size();
      sent_body = total;
    }
    if (const auto size = source->size(); size && *size != total) {
      break_word(total, *size);
      co_return source_failure;
    }
    if (chunked) {
      if (auto written = co_await write(asio::buffer("0\r\n\r\n", 5)); !written) co_return written;
    }
    if (on_sent) on_sent(total, true);
    co_return result<void>();
  }
};

exchange::exchange(asio::any_io_executor executor, std::unique_ptr<stream> connection, deadlines limits,
                   std::string peer)
    : wire_(std::make_shared<wire>(std::move(executor), std::move(connection), limits)),
      limits_(limits),
      peer_(std::move(peer)) {}

exchange::~exchange() {
  over(asio::error::operation_aborted);
  sending_.cancel();
  wire_->disarm();
  wire_->hang_up();
}

bool exchange::sent_some() const noexcept { return wire_->sent_some; }

task<void> exchange::start(request what, diagnostics& why) {
  body_framing framing;
  framing.length = what.source ? what.source->size() : size_of(what);
  auto head = encode_head(what.head, framing, why);
  if (!head) co_return head.error();
  if (what.head.method == "HEAD") {
    decoder_limits bounds;
    bounds.no_body = true;
    decoder_ = response_decoder(bounds);
  }

  log_ = exchange_log(std::move(what.observer), what.number);
  log_.request(*head);
  auto line = wire_;
  line->arm(line->total_guard, limits_.total);
  line->stirred();
  sending_ = pending<void>::start(line->executor, line, [&](completion_handler<void> handler) {
    spawn<void>(line->executor, nullptr, std::move(handler),
                [line, head = std::move(*head), what = std::move(what)](diagnostics&) mutable {
                  try {
                    return line->send_or_hang_up(std::move(head), std::move(what));
                  } catch (...) {  // no memory for that coroutine
                    line->source_failure = code_of(std::current_exception());
                    line->hang_up();
                    throw;
                  }
                });
  });
  while (!decoder_.head_done()) {
    if (auto advanced = co_await advance(why); !advanced) co_return advanced.error();
  }
  // It may be there before the body is sent, whose end then starts no deadline.
  line->answered = true;
  line->head_guard.disarm();
  log_.answer(decoder_.head(), line->sent_body, received_);
  if (decoder_.done()) over({});
  co_return result<void>();
}

// Reads once and decodes what came.
task<void> exchange::advance(diagnostics& why) {
  // A signal that came before this coroutine first ran has ended no wait, and must not be waited past.
  if (co_await is_cancelled()) co_return aborted();
  auto line = wire_;
  if (!block_) block_ = std::make_unique_for_overwrite<char[]>(read_size);
  auto [code, size] = co_await dockline::read_some(*line->connection, asio::buffer(block_.get(), read_size));
  input_.append(block_.get(), size);
  if (size > 0) {
    got_some_ = true;
    line->stirred();
  }
  if (code) {
    if (code == asio::error::eof && decoder_.eat_end()) co_return result<void>();
    auto failed = co_await fail(code, why);
    co_return failed;
  }
  if (co_await is_cancelled()) co_return aborted();
  const std::size_t known = output_.size();
  auto eaten = decoder_.eat(asio::buffer(input_), output_);
  if (!eaten) {
    why.set_client_message("the answer is not HTTP/1.1 as this library understands it");
    over(eaten.error());
    co_return eaten.error();
  }
  input_.erase(0, *eaten);
  received_ += output_.size() - known;
  co_return result<void>();
}

void exchange::over(error_code outcome) { log_.over(outcome, wire_->sent_body, received_); }

task<void> exchange::fail(error_code code, diagnostics& why) {
  auto failed = co_await tell_failure(code, why);
  over(failed.error());
  co_return failed;
}

// Tells why reading ended: cancelled, too late, our own source, or the peer.
task<void> exchange::tell_failure(error_code code, diagnostics& why) {
  if (co_await is_cancelled()) co_return aborted();
  auto line = wire_;
  if (line->expired()) {
    const char* phase = line->total_guard.expired()  ? "the whole exchange"
                        : line->head_guard.expired() ? "the answer to begin"
                                                     : "a sign of life";
    why.set_client_message(std::string("waited too long for ") + phase);
    co_return errc::timed_out;
  }
  // A source that failed hangs up by itself; the peer that vanished stops the source. Which of the two it was
  // is known once sending is over.
  if (sending_.started()) {
    if (!line->source_failure) sending_.cancel();
    (void)co_await sending_.get();
  }
  if (line->source_failure) {
    why.set_client_message(line->source_words);
    co_return line->source_failure;
  }
  // What carries the bytes may know more: that ssh failed, that a certificate is refused.
  if (code.category() == error_category()) {
    why.set_client_message("the connection to " + peer_ + " failed: " + line->connection->why());
    co_return code;
  }
  why.set_client_message(peer_ + " closed the connection " +
                         (!got_some_ ? "without an answer" : "in the middle of its answer") +
                         (code == asio::error::eof ? "" : " (" + code.message() + ")"));
  co_return errc::connection_lost;
}

task<std::string_view> exchange::read_some(diagnostics& why) {
  // What came together with the head was decoded with it and is still here at the first call.
  if (std::exchange(handed_on_, true)) output_.clear();
  while (output_.empty() && !decoder_.done()) {
    if (auto advanced = co_await advance(why); !advanced) co_return advanced.error();
  }
  if (decoder_.done()) {
    wire_->disarm();
    over({});
  }
  co_return std::string_view(output_);
}

task<std::string> exchange::read_all(std::size_t limit, diagnostics& why) {
  std::string all;
  for (;;) {
    auto some = co_await read_some(why);
    if (!some) co_return some.error();
    if (some->empty()) break;
    if (all.size() + some->size() > limit) {
      why.set_client_message("an answer of more than " + std::to_string(limit) + " bytes");
      co_return errc::message_too_long;
    }
    all += *some;
  }
  co_return all;
}

std::unique_ptr<stream> exchange::release() {
  wire_->disarm();
  // Bytes behind the answer belong to no request of ours.
  if (!decoder_.done() || !decoder_.keep_alive() || !wire_->sent_all || !input_.empty()) return nullptr;
  return std::move(wire_->connection);
}

asio::awaitable<std::unique_ptr<stream>> exchange::upgrade(std::string& already_read) {
  // The request is long sent, since it was answered; but the connection is handed over only when nothing of
  // ours waits on it any more.
  if (sending_.started()) (void)co_await sending_.get();
  wire_->disarm();
  over({});
  already_read = std::move(input_);
  co_return std::move(wire_->connection);
}

}  // namespace dockline::http
