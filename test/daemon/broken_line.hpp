#pragma once

// Operations on a real engine, over a connection that breaks at a byte, for many bytes and in every way in
// which connections break: each gives the right result or an error, comes to its end, and leaves nothing open.

#include "daemon/daemon_helpers.hpp"
#include "support/planned_relay.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::daemon_test {

// What operations made, as text that is the same each time. The first one that fails throws.
using scenario = std::function<asio::awaitable<std::string>(engine::client)>;

// How an attempt went.
struct attempted {
  attempted(const test::line_plan& own, bool right) : how(own), succeeded(right) {}

  // Whether what was asked for arrived as it was sent. There is no checksum on the way to an engine: what a bit
  // changed is another thing that is asked for, and none that can be told from the right one.
  bool was_asked_for() const { return how.kind != test::line_fault::corrupt || !how.requests; }

  test::line_plan how;
  bool succeeded;
};

struct breaking {
  explicit breaking(std::size_t how_many) : points(how_many) {}

  // About how many bytes in each direction the line is broken at.
  std::size_t points;
  // Whether what was made is right, given what the undisturbed line gave; without it both are the same text.
  std::function<bool(const std::string& made, const std::string& right, const test::line_plan& how)> is_right;
  // What comes after the fault goes through.
  bool once = false;
  // It is silent for as long as its work takes, and has no deadline (client_options::answer_timeout): where the line is
  // silent for good it is stopped by the test. Nothing else may need that.
  bool endless = false;
  // A request with another bit in it may be sent: what it asks for is nothing that somebody else misses.
  bool harmless = true;
  // It succeeds whatever is lost, and says what it does not know.
  bool never_fails = false;
  // Looks at what is there after each attempt, over an undisturbed line.
  std::function<void(const attempted&)> afterwards;
};

// The operation undisturbed, slowly, and with the line broken.
void break_everywhere(const scenario& what, const breaking& how);

// The same for a build, which is given a context, other files each time, and the image's name, and returns the
// image's id. Each image that has the name it was to get is what was to be built, to the last byte, whatever was
// said of it.
using build_scenario = std::function<asio::awaitable<std::string>(engine::client, archive::build_context,
                                                                  engine::build_options)>;
void break_build(std::string_view name, archive::ignore_mode mode, std::size_t points, build_scenario build);

// A directory with a Dockerfile, and a file that has other content, of the same size, for each attempt.
class changing_tree {
 public:
  explicit changing_tree(const std::string& dockerfile);

  // One more, that stays as it is.
  void file(std::string_view name, std::string_view text) const { tree_.file(name, text); }
  void change();
  int number() const noexcept { return number_; }
  const std::string& content() const noexcept { return content_; }
  archive::context_options options() const;

 private:
  scratch_tree tree_;
  int number_ = 0;
  std::string content_;
};

// Looks at what an attempt left under the name that an image was to get, unless another one was asked for on a corrupted
// line: where it succeeded the image is there, and where it is, its "/in/data" is `content`. It is gone afterwards.
void check_image(engine_fixture& engine, const attempted& it, const std::string& image,
                 const std::string& content);
// What the registry has under a name, or why that cannot be told.
std::string digest_in_registry(engine_fixture& engine, const std::string& name);
void give_name(engine_fixture& engine, const std::string& image, const std::string& name);
void forget_image(engine_fixture& engine, const std::string& image);
// All images with a label, also those without a name.
void forget_labelled(engine_fixture& engine, const std::string& label);

// Containers of an image, removed at the end, whatever connection was lost before they could be.
struct leftovers {
  explicit leftovers(engine_fixture& own, std::string from) : engine(own), image(std::move(from)) {}
  leftovers(const leftovers&) = delete;
  leftovers& operator=(const leftovers&) = delete;
  ~leftovers() { engine.run(remove_containers_of(engine.daemon(), image)); }

  engine_fixture& engine;
  std::string image;
};

}  // namespace dockline::daemon_test
