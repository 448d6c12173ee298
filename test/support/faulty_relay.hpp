#pragma once

// A process between a client and a daemon that breaks connections, in each of the ways in which they break.
// It is a process of its own, so that what it needs is not counted where a test counts descriptors and
// memory.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace dockline::test {

// How many connections it broke, and how.
struct relay_counts {
  relay_counts() = default;

  std::uint64_t connections = 0;
  std::uint64_t refused = 0;  // closed as soon as they were accepted
  std::uint64_t cut = 0;      // closed in the middle of an answer
  std::uint64_t reset = 0;    // the same with a reset
  std::uint64_t stalled = 0;  // open, and silent from then on

  std::uint64_t faults() const { return refused + cut + reset + stalled; }
};

class faulty_relay {
 public:
  // Listens on a port of the loopback device and connects to the socket at the path `to`. Of 100 connections
  // `percent` break, after some bytes of answers. To be made before the process has a second thread.
  faulty_relay(const std::string& to, unsigned percent, std::uint64_t seed);
  ~faulty_relay();
  faulty_relay(const faulty_relay&) = delete;
  faulty_relay& operator=(const faulty_relay&) = delete;

  // "tcp://127.0.0.1:PORT"
  std::string host() const;
  relay_counts counts() const;

 private:
  struct shared;

  shared* shared_;
  pid_t process_ = -1;
};

}  // namespace dockline::test
