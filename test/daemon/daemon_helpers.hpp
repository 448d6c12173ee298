#pragma once

// What the tests against a real engine share: a client, names of their own, and the removal of all they made.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/build.hpp"
#include "dockline/engine/client.hpp"
#include "dockline/engine/containers.hpp"
#include "dockline/engine/exec.hpp"
#include "dockline/engine/images.hpp"
#include "dockline/engine/run.hpp"
#include "dockline/engine/system.hpp"

#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::daemon_test {

namespace asio = boost::asio;
using archive::scratch_tree;

inline constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

// What a container wrote, and how it ended.
struct output {
  std::string out, err;
  int status = -1;
  error_code code;
  diagnostics why;
};

// What comes from a container's streams while it is listened to, and how the program ended.
struct heard {
  heard() = default;

  // Stays with this object.
  engine::output_sink sink() {
    return [this](progress::output_stream stream, std::string_view bytes) {
      (stream == progress::output_stream::err ? err : out) += bytes;
    };
  }

  std::string out, err;
  std::optional<int> exit_code;
};

struct build_outcome {
  build_outcome() = default;

  error_code code;
  engine::built_image image;
  diagnostics why;
  std::vector<progress::event> events;

  template <class Body>
  std::vector<Body> all() const {
    std::vector<Body> found;
    for (const auto& what : events) {
      if (const auto* body = std::get_if<Body>(&what.body)) found.push_back(*body);
    }
    return found;
  }
};

// One for each test case. What was named by name() is removed at its end.
class engine_fixture {
 public:
  engine_fixture();
  engine_fixture(const engine_fixture&) = delete;
  engine_fixture& operator=(const engine_fixture&) = delete;
  ~engine_fixture();

  asio::io_context& loop() { return loop_; }
  const engine::client& daemon() const { return daemon_; }
  static bool is_podman();

  // A name that no other run uses, for an image or a container.
  std::string name(std::string_view what);
  // To be removed as well, under a name that is not ours alone to choose.
  void remember(std::string name) { names_.push_back(std::move(name)); }

  // Runs the loop until the coroutine is over.
  template <class T>
  T run(asio::awaitable<T> body) {
    auto future = asio::co_spawn(loop_, std::move(body), asio::use_future);
    loop_.restart();
    loop_.run();
    return future.get();
  }

  // Options that give the result a name of its own, which lies in tags[0].
  engine::build_options tagged(std::string_view what);

  build_outcome build(const scratch_tree& tree, engine::build_options options,
                      archive::compression how = archive::compression::none);
  build_outcome build(std::shared_ptr<byte_source> source, engine::build_options options);

  // Runs a command of the probe in an image, and removes the container.
  output run_probe(const std::string& image, std::vector<std::string> words);
  output run_container(engine::run_options options);

  bool has_image(const std::string& reference);

 private:
  asio::io_context loop_{1};
  engine::client daemon_;
  std::vector<std::string> names_;
};

// An image with nothing but /probe, made once for the whole run, removed at its end.
const std::string& base_image();
void remove_base_image();

// What the probe prints on the host.
std::string probe_says(const std::vector<std::string>& words);
// The path of the probe.
std::string probe_path();

// A container that runs the probe; and one with a name, which is its label as well.
engine::container_options probe_container(std::vector<std::string> words);
engine::container_options probe_container(std::vector<std::string> words, std::string name);

// The container's id.
asio::awaitable<std::string> create_container(engine::client daemon, engine::container_options options);
asio::awaitable<std::string> start_container(engine::client daemon, engine::container_options options);

// Runs a program in a container that runs, to its end.
asio::awaitable<heard> run_exec(engine::client daemon, std::string container, engine::exec_options options,
                                std::shared_ptr<byte_source> input = nullptr);

// All that a source has; throws what a read of it fails with.
asio::awaitable<std::string> read_all(std::shared_ptr<byte_source> source);

// How many processes of this machine have `mark` among their arguments, and whether it comes to be `count` in
// time.
int processes_with(std::string_view mark);
asio::awaitable<bool> comes_to(int count, std::string mark, std::chrono::seconds limit);

// Removes the containers of an image, also those that run. What goes wrong is not told.
asio::awaitable<void> remove_containers_of(engine::client daemon, std::string image);

}  // namespace dockline::daemon_test
