#include "progress_display.hpp"

#include <dockline/progress/json_renderer.hpp>
#include <dockline/progress/plain_renderer.hpp>
#include <dockline/progress/terminal_renderer.hpp>

#include "option_forms.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <tuple>
#include <utility>

namespace dockline::tool {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// How often the display is looked at; it draws at most every 100 ms.
constexpr auto tick_interval = 100ms;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// Columns and lines; 0 where they are not known.
std::pair<int, int> window_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return {0, 0};
  return {size.ws_col, size.ws_row};
}

progress::event_time now() { return std::chrono::system_clock::now(); }

}  // namespace

struct progress_display::view {
  virtual ~view() = default;
  virtual void show(const progress::event& what) = 0;
  virtual void finish(error_code outcome) = 0;
};

struct progress_display::lines final : view {
  explicit lines(console& terminal) : renderer([&terminal](std::string_view text) { terminal.err(text); }) {}
  void show(const progress::event& what) override { renderer.show(what); }
  void finish(error_code) override { renderer.finish(); }

  progress::plain_renderer renderer;
};

struct progress_display::json final : view {
  explicit json(console& terminal) : renderer([&terminal](std::string_view text) { terminal.err(text); }) {}
  void show(const progress::event& what) override { renderer.show(what); }
  void finish(error_code) override {}

  progress::json_renderer renderer;
};

// Drawn in place. Timer and signals end with it; a handler that is called after that finds it gone.
class progress_display::live final : public view, public std::enable_shared_from_this<live> {
 public:
  live(const asio::any_io_executor& executor, progress::terminal_options options, console& terminal)
      : size_(options.width, options.height),
        renderer_(std::move(options)),
        terminal_(terminal),
        timer_(executor),
        signals_(executor) {
    signals_.add(SIGWINCH);
    signals_.add(SIGCONT);
    terminal_.set_err_writer([this](std::string_view text) { write(renderer_.above(text, now())); });
  }
  ~live() override { terminal_.set_err_writer({}); }

  void start() {
    wait_for_tick();
    wait_for_signal();
  }

  void show(const progress::event& what) override { renderer_.show(what); }

  void finish(error_code outcome) override {
    over_ = true;
    timer_.cancel();
    signals_.cancel();
    write(renderer_.finish(now(), outcome));
    terminal_.set_err_writer({});
  }

 private:
  void write(const std::string& bytes) {
    if (!bytes.empty()) terminal_.err_as_it_is(bytes);
  }

  void wait_for_tick() {
    timer_.expires_after(tick_interval);
    timer_.async_wait([weak = weak_from_this()](const error_code& code) {
      const auto self = weak.lock();
      if (code || !self) return;
      // Behind a signal that came in the same moment: after a stop, only a whole frame is right.
      asio::post(self->timer_.get_executor(), [weak] {
        if (const auto still = weak.lock()) still->tick();
      });
    });
  }

  void tick() {
    if (over_) return;
    // SIGWINCH may be late, and a window of the old size is drawn wrong.
    follow_window();
    write(renderer_.tick(now()));
    wait_for_tick();
  }

  void wait_for_signal() {
    signals_.async_wait([weak = weak_from_this()](const error_code& code, int signal) {
      const auto self = weak.lock();
      if (code || !self) return;
      // After a stop the shell has written its own lines below ours.
      if (signal == SIGCONT) self->write(self->renderer_.redraw(now()));
      self->follow_window();
      self->wait_for_signal();
    });
  }

  void follow_window() {
    const auto size = window_size();
    if (std::exchange(size_, size) != size) write(renderer_.resize(size.first, size.second, now()));
  }

  std::pair<int, int> size_;
  progress::terminal_renderer renderer_;
  console& terminal_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  bool over_ = false;
};

void add_progress(CLI::App& command, std::string& how) {
  add_one(command, "--progress", how, "auto|tty|plain|json", "How it is shown on standard error (auto)")
      ->transform(CLI::IsMember({"auto", "tty", "plain", "json"}).description(""));
}

progress_display::progress_display(asio::any_io_executor executor, const std::string& how, std::string title,
                                   console& terminal) {
  if (how == "none") return;
  if (how == "json") {
    view_ = std::make_shared<json>(terminal);
  } else if (how == "plain" || !is_drawing_terminal()) {
    view_ = std::make_shared<lines>(terminal);
  } else {
    progress::terminal_options options;
    options.title = std::move(title);
    std::tie(options.width, options.height) = window_size();
    options.colour = !is_set("NO_COLOR");
    auto display = std::make_shared<live>(executor, std::move(options), terminal);
    display->start();
    view_ = std::move(display);
  }
}

progress_display::~progress_display() { finish(asio::error::operation_aborted); }

progress::event_sink progress_display::sink() {
  return [this](const progress::event& what) {
    if (view_) view_->show(what);
  };
}

void progress_display::warn(const std::string& text) {
  progress::event what;
  what.time = now();
  what.body = progress::warning{text};
  if (view_) view_->show(what);
}

void progress_display::finish(error_code outcome) {
  if (!view_) return;
  view_->finish(outcome);
  view_.reset();
}

bool is_drawing_terminal() {
  return ::isatty(STDERR_FILENO) == 1 && is_set("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
}

}  // namespace dockline::tool
