#pragma once

// A port of the loopback device between a client and a server that breaks connections at a byte that the test
// names, in each of the ways in which they break. It runs on a thread of its own.
//
//     planned_relay relay("/run/docker.sock");
//     options.host = relay.host();
//     relay.plan({line_fault::reset, 100});   // once 100 bytes of answers have come through

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace dockline::test {

enum class line_fault : std::uint8_t {
  none,
  cut,       // closed
  reset,     // closed with a reset
  stall,     // open, and nothing comes through any more
  corrupt,   // one bit of that byte is another one; all else comes through
  dribble,   // from there on, each byte is a write of its own
  throttle,  // from there on a few hundred bytes at a time, and pauses between them
};

struct line_plan {
  line_plan() = default;
  line_plan(line_fault what, std::size_t where, bool in_requests = false)
      : kind(what), at(where), requests(in_requests) {}

  line_fault kind = line_fault::none;
  std::size_t at = 0;     // bytes, of all connections since the plan was made
  bool requests = false;  // bytes of requests; else of answers
  bool once = false;      // what comes after the fault goes through
};

class planned_relay {
 public:
  // `to` is the path of a Unix socket, or a port of the loopback device: ":PORT".
  explicit planned_relay(const std::string& to);
  ~planned_relay();
  planned_relay(const planned_relay&) = delete;
  planned_relay& operator=(const planned_relay&) = delete;

  std::uint16_t port() const noexcept;
  // "tcp://127.0.0.1:PORT"
  std::string host() const { return "tcp://127.0.0.1:" + std::to_string(port()); }

  // Closes what is open, and holds for connections that are made from now on. One that is made after the
  // fault breaks with its first byte, unless the plan is for once.
  void plan(line_plan what);
  // How many bytes have come through since.
  std::size_t answered() const;
  std::size_t requested() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dockline::test
