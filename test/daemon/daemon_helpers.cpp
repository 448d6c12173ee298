#include "daemon/daemon_helpers.hpp"

#include "dockline/engine/container_list.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace dockline::daemon_test {
namespace {

engine::client_options test_options() {
  engine::client_options options;
  const char* host = std::getenv("DOCKLINE_TEST_DOCKER_HOST");
  options.host = host != nullptr ? host : "";
  return options;
}

// Differs from run to run and between two at once.
std::string unique_prefix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return "dockline-test-" + std::to_string(::getpid()) + "-" + std::to_string(now % 1'000'000'000) + "-";
}

const std::string& prefix() {
  static const std::string text = unique_prefix();
  return text;
}

asio::awaitable<build_outcome> build_now(engine::client daemon, std::shared_ptr<byte_source> source,
                                         engine::build_options options) {
  build_outcome done;
  auto [code, image] = co_await engine::async_build(
      daemon, std::move(source), std::move(options),
      [&done](const progress::event& what) { done.events.push_back(what); }, done.why, no_throw);
  done.code = code;
  done.image = std::move(image);
  co_return done;
}

asio::awaitable<build_outcome> build_tree(engine::client daemon, archive::context_options wanted,
                                          engine::build_options options) {
  build_outcome done;
  auto [code, context] =
      co_await archive::async_open_context(daemon.get_executor(), std::move(wanted), done.why, no_throw);
  done.code = code;
  if (code) co_return done;
  if (options.dockerfile.empty()) options.dockerfile = context.dockerfile_name();
  std::shared_ptr<byte_source> source = context.pack();
  co_return co_await build_now(std::move(daemon), std::move(source), std::move(options));
}

asio::awaitable<void> remove_all(engine::client daemon, std::vector<std::string> names) {
  for (auto& name : names) {
    engine::remove_options container;
    container.force = true;
    container.volumes = true;
    auto [no_container] = co_await engine::async_container_remove(daemon, name, container, no_throw);
    (void)no_container;
    engine::image_remove_options image;
    image.force = true;
    auto [no_image, gone] = co_await engine::async_image_remove(daemon, name, image, no_throw);
    (void)no_image;
  }
}

asio::awaitable<output> run_now(engine::client daemon, engine::run_options options) {
  output seen;
  options.remove = true;
  auto [code, done] = co_await engine::async_run(
      daemon, std::move(options),
      [&seen](progress::output_stream stream, std::string_view bytes) {
        (stream == progress::output_stream::err ? seen.err : seen.out) += bytes;
      },
      seen.why, no_throw);
  seen.code = code;
  seen.status = done.status;
  co_return seen;
}

std::string& made_base_image() {
  static std::string reference;
  return reference;
}

}  // namespace

engine_fixture::engine_fixture() : daemon_(loop_.get_executor(), test_options()) {}

engine_fixture::~engine_fixture() { run(remove_all(daemon_, names_)); }

bool engine_fixture::is_podman() {
  static const bool podman = [] {
    asio::io_context loop;
    const engine::client daemon(loop.get_executor(), test_options());
    auto pong = engine::async_ping(daemon, asio::use_future);
    loop.run();
    return !pong.get().libpod_version.empty();
  }();
  return podman;
}

std::string engine_fixture::name(std::string_view what) {
  static int count = 0;
  names_.push_back(prefix() + std::to_string(++count) + "-" + std::string(what));
  return names_.back();
}

engine::build_options engine_fixture::tagged(std::string_view what) {
  engine::build_options options;
  options.tags = {name(what)};
  return options;
}

build_outcome engine_fixture::build(const scratch_tree& tree, engine::build_options options,
                                    archive::compression how) {
  archive::context_options wanted;
  wanted.directory = tree.root();
  wanted.mode = archive::ignore_mode::classic;
  wanted.compress = how;
  return run(build_tree(daemon_, std::move(wanted), std::move(options)));
}

build_outcome engine_fixture::build(std::shared_ptr<byte_source> source, engine::build_options options) {
  return run(build_now(daemon_, std::move(source), std::move(options)));
}

output engine_fixture::run_container(engine::run_options options) {
  return run(run_now(daemon_, std::move(options)));
}

output engine_fixture::run_probe(const std::string& image, std::vector<std::string> words) {
  engine::run_options options;
  options.container.image = image;
  options.container.entrypoint = {{"/probe"}};
  options.container.cmd = std::move(words);
  return run_container(std::move(options));
}

bool engine_fixture::has_image(const std::string& reference) {
  auto look = [](engine::client daemon, std::string name) -> asio::awaitable<error_code> {
    auto [code, found] = co_await engine::async_image_inspect(daemon, std::move(name), no_throw);
    co_return code;
  };
  const error_code code = run(look(daemon_, reference));
  if (code) REQUIRE(code == condition::not_found);
  return !code;
}

const std::string& base_image() {
  std::string& reference = made_base_image();
  if (reference.empty()) {
    engine_fixture engine;
    const scratch_tree tree;
    std::filesystem::copy_file(probe_path(), tree.path("probe"));
    tree.file("Dockerfile", "FROM scratch\nCOPY probe /probe\nENTRYPOINT [\"/probe\"]\n");
    engine::build_options options;
    options.tags = {prefix() + "base"};
    const build_outcome built = engine.build(tree, options);
    REQUIRE_MESSAGE(!built.code, describe(built.code, built.why));
    reference = options.tags.front();
  }
  return reference;
}

void remove_base_image() {
  if (made_base_image().empty()) return;
  asio::io_context loop;
  const engine::client daemon(loop.get_executor(), test_options());
  asio::co_spawn(loop, remove_all(daemon, {made_base_image()}), asio::use_future);
  loop.run();
}

// Built into the folder of the tests.
std::string probe_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "probe").string();
}

std::string probe_says(const std::vector<std::string>& words) {
  std::string command = "'" + probe_path() + "'";
  for (const auto& word : words) command += " '" + word + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char block[4096];
  while (const std::size_t size = std::fread(block, 1, sizeof(block), pipe)) text.append(block, size);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

engine::container_options probe_container(std::vector<std::string> words) {
  engine::container_options options;
  options.image = base_image();
  options.cmd = std::move(words);
  return options;
}

engine::container_options probe_container(std::vector<std::string> words, std::string name) {
  engine::container_options options = probe_container(std::move(words));
  options.labels = {{name, "1"}};
  options.name = std::move(name);
  return options;
}

asio::awaitable<std::string> create_container(engine::client daemon, engine::container_options options) {
  const auto made = co_await engine::async_container_create(daemon, std::move(options));
  co_return made.id;
}

asio::awaitable<std::string> start_container(engine::client daemon, engine::container_options options) {
  const std::string id = co_await create_container(daemon, std::move(options));
  co_await engine::async_container_start(daemon, id);
  co_return id;
}

asio::awaitable<heard> run_exec(engine::client daemon, std::string container, engine::exec_options options,
                                std::shared_ptr<byte_source> input) {
  heard all;
  const bool tty = options.tty;
  const std::string id = co_await engine::async_exec_create(daemon, container, std::move(options));
  auto streams = co_await engine::async_exec_start(daemon, id, tty);
  engine::output_sink sink = all.sink();
  co_await engine::async_attachment_run(streams, std::move(input), std::move(sink));
  const auto ended = co_await engine::async_exec_inspect(daemon, id);
  all.exit_code = ended.exit_code;
  co_return all;
}

asio::awaitable<std::string> read_all(std::shared_ptr<byte_source> source) {
  std::string all;
  std::vector<char> block(64 * 1024);
  for (;;) {
    const std::size_t size =
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code, std::size_t)>(
            [&](auto handler) {
              source->async_read_some(asio::buffer(block), transfer_handler(std::move(handler)));
            },
            asio::use_awaitable);
    if (size == 0) co_return all;
    all.append(block.data(), size);
  }
}

int processes_with(std::string_view mark) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.empty() || !std::isdigit(static_cast<unsigned char>(name.front()))) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string words((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    // The probe itself, and not the runtime that is about to start it.
    if (words.starts_with("/probe") && words.find(mark) != words.npos) ++count;
  }
  return count;
}

asio::awaitable<bool> comes_to(int count, std::string mark, std::chrono::seconds limit) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto end = std::chrono::steady_clock::now() + limit;
  while (processes_with(mark) != count) {
    if (std::chrono::steady_clock::now() > end) co_return false;
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return true;
}

asio::awaitable<void> remove_containers_of(engine::client daemon, std::string image) {
  // Podman's filter "ancestor" does not find them by this name.
  engine::container_list_options all;
  all.all = true;
  auto [code, rows] = co_await engine::async_container_list(daemon, all, no_throw);
  for (const auto& row : rows) {
    if (row.image.find(image) == row.image.npos) continue;
    engine::remove_options options;
    options.force = true;
    auto [kept] = co_await engine::async_container_remove(daemon, row.id, options, no_throw);
    (void)kept;
  }
}

}  // namespace dockline::daemon_test
