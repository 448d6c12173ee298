// How fast a context gets into a bucket when each request takes 20 ms longer, beside what filling a piece and
// then sending it takes with the same pieces, the same packing and the same server:
//
//     upload_bench [ROUNDS [MIB [PIECE_KIB]]]
//
// Two sources: a tree that is packed and compressed on this machine, whose processors the server shares, and
// bytes that come at 100 MB/s, as from a disk or a compressor that is no faster, without taking any processor.
// Both ways are measured in each round, one after the other; the ratio is of the same round, and the median of
// the rounds is what counts. The server is the tests' Google, on this machine's loopback.

#include "dockline/archive/build_context.hpp"
#include "dockline/gcp/credentials.hpp"
#include "dockline/gcp/storage.hpp"

#include "core/spawn.hpp"
#include "core/transfer.hpp"
#include "support/google_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace dockline::test {
namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "upload_bench: %s\n", why.c_str());
  std::exit(1);
}

// Half of it compresses, half does not.
void make_tree(const std::string& root, std::size_t mib) {
  std::mt19937_64 random(1);
  std::ofstream(root + "/Dockerfile") << "FROM scratch\nCOPY . /\n";
  for (std::size_t i = 0; i < mib; ++i) {
    std::string text;
    while (text.size() < (1 << 20)) {
      if (i % 2 == 0) {
        const std::uint64_t word = random();
        text.append(reinterpret_cast<const char*>(&word), sizeof word);
      } else {
        text += "line " + std::to_string(random() % 4000) + " of a log\n";
      }
    }
    std::ofstream(root + "/file" + std::to_string(i), std::ios::binary) << text;
  }
}

archive::build_context open_tree(asio::io_context& loop, const std::string& root) {
  archive::context_options options;
  options.directory = root;
  options.compress = archive::compression::gzip;
  options.reproducible = true;
  archive::build_context context;
  diagnostics why;
  archive::async_open_context(loop.get_executor(), options, why,
                              [&](error_code code, archive::build_context opened) {
                                if (code) fail(describe(code, why));
                                context = std::move(opened);
                              });
  loop.restart();
  loop.run();
  return context;
}

gcp::client_options options_for(const google_server& server) {
  gcp::client_options options;
  options.storage_endpoint = server.base();
  options.anonymous_storage = true;
  options.project = "dockline-test";
  return options;
}

// Bytes at a steady rate.
class paced_source final : public byte_source {
 public:
  paced_source(asio::any_io_executor executor, std::uint64_t size, double rate)
      : timer_(std::move(executor)), left_(size), rate_(rate), next_(clock_type::now()) {}

  void async_read_some(asio::mutable_buffer block, transfer_handler handler) override {
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>({left_, block.size(), 256 << 10}));
    // Nothing is made while nobody reads.
    next_ = std::max(next_, clock_type::now()) +
            std::chrono::duration_cast<clock_type::duration>(
                std::chrono::duration<double>(static_cast<double>(count) / rate_));
    std::memset(block.data(), 'x', count);
    left_ -= count;
    timer_.expires_at(next_);
    timer_.async_wait(
        [count, handler = std::move(handler)](error_code code) mutable { std::move(handler)(code, count); });
  }
  const diagnostics& why() const noexcept override { return why_; }

 private:
  asio::steady_timer timer_;
  std::uint64_t left_;
  double rate_;
  clock_type::time_point next_;
  diagnostics why_;
};

double ours(asio::io_context& loop, const google_server& server, const gcp::source_factory& source,
            std::size_t piece) {
  const gcp::client google(loop.get_executor(), gcp::no_credentials(), options_for(server));
  gcp::upload_options options;
  options.bucket = "box";
  options.object = "ours";
  options.piece_size = piece;
  options.keep_existing = false;
  diagnostics why;
  const auto start = clock_type::now();
  gcp::async_upload(google, source, options, {}, why, [&](error_code code, const gcp::stored_object&) {
    if (code) fail(describe(code, why));
  });
  loop.restart();
  loop.run();
  return seconds_since(start);
}

// One request on a connection that is kept, and the head of its answer; what bodies there are are read.
class plain_http {
 public:
  plain_http(asio::io_context& loop, const google_server& server) : socket_(loop) {
    const std::string base = server.base();
    host_ = base.substr(base.find("//") + 2);
    asio::ip::tcp::resolver resolver(loop);
    asio::connect(socket_,
                  resolver.resolve(host_.substr(0, host_.find(':')), host_.substr(host_.find(':') + 1)));
    socket_.set_option(asio::ip::tcp::no_delay(true));
  }

  std::string ask(const std::string& line, const std::string& fields, asio::const_buffer body) {
    const std::string head = line + " HTTP/1.1\r\nHost: " + host_ + "\r\n" + fields +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    const std::vector<asio::const_buffer> all = {asio::buffer(head), body};
    asio::write(socket_, all);
    std::string answer;
    const std::size_t size = asio::read_until(socket_, asio::dynamic_buffer(answer), "\r\n\r\n");
    const std::size_t length = answer.find("Content-Length: ");
    const std::size_t whole = size + std::strtoul(answer.c_str() + length + 16, nullptr, 10);
    if (answer.size() < whole) {
      std::string rest(whole - answer.size(), '\0');
      asio::read(socket_, asio::buffer(rest));
      answer += rest;
    }
    return answer;
  }

 private:
  asio::ip::tcp::socket socket_;
  std::string host_;
};

// A piece is filled, then sent, then the next one is filled.
double fill_then_send(asio::io_context& loop, const google_server& server, const gcp::source_factory& make,
                      std::size_t piece) {
  const auto start = clock_type::now();
  plain_http connection(loop, server);
  const std::string begun =
      connection.ask("POST /upload/storage/v1/b/box/o?uploadType=resumable&name=theirs", {}, {});
  const std::size_t place = begun.find("Location: ") + 10;
  const std::string session = begun.substr(place, begun.find("\r\n", place) - place);
  const auto source = make();
  std::vector<char> held(piece);
  std::uint64_t sent = 0;
  for (bool last = false; !last;) {
    std::size_t filled = 0;
    asio::co_spawn(
        loop,
        [&]() -> asio::awaitable<void> {
          while (filled < piece) {
            auto [code, size] = co_await read_some(*source, asio::buffer(held) + filled);
            if (code) fail(describe(code, source->why()));
            if (size == 0) break;
            filled += size;
          }
        },
        [](std::exception_ptr) {});
    loop.restart();
    loop.run();
    last = filled < piece;
    const std::uint64_t end = sent + filled;
    const std::string range = filled == 0 ? "*/" : std::to_string(sent) + "-" + std::to_string(end - 1) + "/";
    const std::string answer =
        connection.ask("PUT " + session.substr(session.find("/upload")),
                       "Content-Range: bytes " + range + (last ? std::to_string(end) : "*") + "\r\n",
                       asio::buffer(held, filled));
    if (answer.find(last ? " 200 " : " 308 ") == answer.npos) fail(answer);
    sent = end;
  }
  return seconds_since(start);
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void compare(const char* what, asio::io_context& loop, const google_server& server,
             const gcp::source_factory& source, int rounds, std::size_t piece) {
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double one = fill_then_send(loop, server, source, piece);
    const double other = ours(loop, server, source, piece);
    ratios.push_back(one / other);
    std::printf("  fill, then send %6.3f s   dockline %6.3f s   ratio %.2f\n", one, other, one / other);
  }
  std::printf("%s, pieces of %zu KiB, 20 ms more for each request: median ratio %.2f\n", what, piece >> 10,
              median(ratios));
}

int run(int rounds, std::size_t mib, std::size_t piece) {
  const scratch_folder folder;
  make_tree(folder / "", mib);
  const google_server server({"--bucket", "box", "--anonymous"});
  server.faults(R"({"path": "^/upload/", "action": {"delay": 0.02}})");
  asio::io_context loop;
  const auto context = open_tree(loop, folder / "");
  const auto packed = [&] { return std::shared_ptr<byte_source>(context.pack()); };
  compare((std::to_string(mib) + " MiB of files, packed").c_str(), loop, server, packed, rounds, piece);
  const auto paced = [&] {
    return std::make_shared<paced_source>(loop.get_executor(), std::uint64_t{mib} << 20, 100e6);
  };
  compare((std::to_string(mib) + " MiB at 100 MB/s").c_str(), loop, server, paced, rounds, piece);
  return 0;
}

}  // namespace
}  // namespace dockline::test

int main(int count, char** words) {
  const auto number = [&](int index, long otherwise) {
    return count > index ? std::strtol(words[index], nullptr, 10) : otherwise;
  };
  return dockline::test::run(static_cast<int>(number(1, 7)), static_cast<std::size_t>(number(2, 256)),
                             static_cast<std::size_t>(number(3, 4096)) << 10);
}
