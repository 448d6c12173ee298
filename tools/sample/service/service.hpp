#pragma once

// An HTTP service on one thread:
//
//   GET  /health   200, at any time, and how many builds run
//   POST /images   builds an image; the answer is a stream of server-sent events: "progress" with an event of
//                  dockline's as JSON, at the end "done" with the image or "failed" with the reason. A client
//                  that closes its connection ends its build.

#include <dockline/containerize/image_builder.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>

namespace sample {

namespace asio = boost::asio;

struct service {
  service() = default;

  std::shared_ptr<dockline::containerize::image_builder> builder;
  asio::any_io_executor work;  // where disks are read, for all builds together
  std::string root;            // the tree that clients may build from
  int most_builds = 16;        // at once
  int builds = 0;
};

// Accepts clients until it is cancelled, and serves each in a coroutine of its own.
asio::awaitable<void> serve(std::shared_ptr<service> shared, asio::ip::tcp::acceptor acceptor);

}  // namespace sample
