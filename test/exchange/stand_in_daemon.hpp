#pragma once

// As much of a Docker daemon as `docker build` needs to hand its context over: it keeps the body of POST
// /build and says that all went well.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dockline {

class stand_in_daemon {
 public:
  struct build {
    std::string target;  // of the request line
    std::string body;
  };

  explicit stand_in_daemon(const std::string& path)
      : acceptor_(loop_, boost::asio::local::stream_protocol::endpoint(path)) {
    thread_ = std::thread([this] { accept(); });
  }
  ~stand_in_daemon() {
    boost::system::error_code ignored;
    // Wakes the accept() that waits.
    boost::asio::local::stream_protocol::socket last(loop_);
    stopping_ = true;
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
    for (auto& connection : connections_) connection.join();
  }

  // What arrived since the last call.
  std::vector<build> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(builds_, {});
  }

 private:
  using socket = boost::asio::local::stream_protocol::socket;

  void accept() {
    for (;;) {
      socket peer(loop_);
      boost::system::error_code failed;
      acceptor_.accept(peer, failed);
      if (failed || stopping_) return;
      connections_.emplace_back([this, peer = std::move(peer)]() mutable { serve(peer); });
    }
  }

  void serve(socket& peer) {
    std::string buffer;
    boost::system::error_code failed;
    for (;;) {
      const std::size_t length =
          boost::asio::read_until(peer, boost::asio::dynamic_buffer(buffer), "\r\n\r\n", failed);
      if (failed) return;
      const std::string head = buffer.substr(0, length);
      buffer.erase(0, length);
      const std::string method = head.substr(0, head.find(' '));
      std::string answer;
      if (method == "POST") {
        build arrived;
        arrived.target = head.substr(5, head.find(' ', 5) - 5);
        if (!read_chunks(peer, buffer, arrived.body)) return;
        const std::lock_guard lock(mutex_);
        builds_.push_back(std::move(arrived));
        answer = "{\"stream\":\"Successfully built 0123456789ab\\n\"}\r\n";
      }
      answer =
          "HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nOstype: linux\r\nBuilder-Version: 1\r\n"
          "Content-Type: application/json\r\nContent-Length: " +
          std::to_string(answer.size()) + "\r\n\r\n" + answer;
      boost::asio::write(peer, boost::asio::buffer(answer), failed);
      if (failed) return;
    }
  }

  bool read_chunks(socket& peer, std::string& buffer, std::string& body) {
    boost::system::error_code failed;
    for (;;) {
      const std::size_t line =
          boost::asio::read_until(peer, boost::asio::dynamic_buffer(buffer), "\r\n", failed);
      if (failed) return false;
      const std::size_t size = std::stoul(buffer.substr(0, line), nullptr, 16);
      buffer.erase(0, line);
      if (buffer.size() < size + 2) {
        boost::asio::read(peer, boost::asio::dynamic_buffer(buffer),
                          boost::asio::transfer_exactly(size + 2 - buffer.size()), failed);
        if (failed) return false;
      }
      body.append(buffer, 0, size);
      buffer.erase(0, size + 2);
      if (size == 0) return true;
    }
  }

  boost::asio::io_context loop_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
  std::vector<std::thread> connections_;
  std::mutex mutex_;
  std::vector<build> builds_;
};

}  // namespace dockline
