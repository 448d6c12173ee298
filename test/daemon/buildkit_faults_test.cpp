// Builds in a BuildKit session, over a line that breaks: see broken_line.hpp.

#include "dockline/buildkit/build.hpp"
#include "dockline/engine/distribution.hpp"

#include "core/encoding.hpp"
#include "core/sha256.hpp"
#include "daemon/broken_line.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace dockline::daemon_test {
namespace {

bool has_sessions() {
  if (engine_fixture::is_podman()) MESSAGE("skipped: podman has no sessions");
  return !engine_fixture::is_podman();
}

buildkit::build_options with_buildkit(engine::build_options image) {
  buildkit::build_options options;
  options.builder = buildkit::builder_choice::buildkit;
  options.image = std::move(image);
  return options;
}

asio::awaitable<std::string> build_in_session(engine::client daemon, archive::build_context context,
                                              engine::build_options image) {
  buildkit::build_options options = with_buildkit(std::move(image));
  progress::event_sink ignore = [](const progress::event&) {};
  const auto built = co_await buildkit::async_build(daemon, std::move(context), options, ignore);
  co_return built.image_id;
}

asio::awaitable<std::string> build_packed(engine::client daemon, archive::build_context context,
                                          engine::build_options image) {
  image.dockerfile = context.dockerfile_name();
  buildkit::build_options options = with_buildkit(std::move(image));
  std::shared_ptr<byte_source> source = context.pack();
  progress::event_sink ignore = [](const progress::event&) {};
  const auto built = co_await buildkit::async_build_archive(daemon, source, options, ignore);
  co_return built.image_id;
}

asio::awaitable<buildkit::build_result> build_of(
    engine::client daemon, archive::context_options what, buildkit::build_options options,
    progress::event_sink on_event = [](const progress::event&) {}) {
  archive::build_context context = co_await archive::async_open_context(daemon.get_executor(), what);
  co_return co_await buildkit::async_build(daemon, std::move(context), options, on_event);
}

asio::awaitable<std::string> raw_of_image(engine::client daemon, std::string image) {
  const auto found = co_await engine::async_image_inspect(daemon, image);
  co_return found.raw;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Whether what an archive of an image holds is what its names say.
bool blobs_are_whole(std::string_view tar) {
  constexpr std::size_t block = 512;
  constexpr std::string_view place = "blobs/sha256/";
  int found = 0;
  while (tar.size() >= block && tar.front() != '\0') {
    const std::string name(tar.data());
    const std::size_t size = std::stoul(std::string(tar.substr(124, 11)), nullptr, 8);
    const std::size_t padded = (size + block - 1) / block * block;
    if (tar.size() < block + padded) return false;
    if (name.starts_with(place) && name.size() > place.size()) {
      ++found;
      if (encode_hex(sha256(tar.substr(block, size))) != name.substr(place.size())) return false;
    }
    tar.remove_prefix(block + padded);
  }
  return found >= 3;
}

// An ssh agent with three keys, as far as to say so: SSH_AGENT_IDENTITIES_ANSWER to whatever is asked.
class small_agent {
 public:
  small_agent(const asio::any_io_executor& executor, const std::string& path)
      : acceptor_(std::make_shared<acceptor>(executor, asio::local::stream_protocol::endpoint(path))) {
    asio::co_spawn(executor, serve(acceptor_), asio::detached);
  }
  small_agent(const small_agent&) = delete;
  small_agent& operator=(const small_agent&) = delete;
  ~small_agent() {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  }

 private:
  using acceptor = asio::local::stream_protocol::acceptor;

  static asio::awaitable<void> serve(std::shared_ptr<acceptor> from) {
    const std::string answer("\0\0\0\5\14\0\0\0\3", 9);
    for (;;) {
      auto [failed, one] = co_await from->async_accept(no_throw);
      if (failed) co_return;
      std::array<char, 5> question{};
      auto [ended, size] = co_await asio::async_read(one, asio::buffer(question), no_throw);
      if (ended) continue;
      auto [lost, sent] = co_await asio::async_write(one, asio::buffer(answer), no_throw);
      (void)lost;
    }
  }

  std::shared_ptr<acceptor> acceptor_;
};

// A build whose result comes to this machine.
void break_output(buildkit::build_output::kind kind) {
  using outputs = buildkit::build_output::kind;
  const scratch_tree out;
  changing_tree tree("FROM scratch\nCOPY in /in\n");
  const auto place = [&] { return out.path(std::to_string(tree.number())); };
  breaking how(4);
  how.endless = true;
  how.afterwards = [&](const attempted& it) {
    // The result has no checksum on its way, either.
    if (it.how.kind == test::line_fault::corrupt) {
      std::filesystem::remove_all(place());
      return;
    }
    if (kind == outputs::local) {
      if (it.succeeded) CHECK(bytes_of(place() + "/in/data") == tree.content());
      return;
    }
    // It appears when it is whole, and nothing else does.
    const bool there = std::filesystem::exists(place());
    if (it.succeeded) CHECK(there);
    const auto all = std::filesystem::directory_iterator(out.root());
    CHECK(std::distance(begin(all), end(all)) == (there ? 1 : 0));
    if (!there) return;
    const std::string tar = bytes_of(place());
    CHECK(tar.find(tree.content()) != tar.npos);
    if (kind != outputs::tar) CHECK(blobs_are_whole(tar));
    std::filesystem::remove(place());
  };
  break_everywhere(
      [&](engine::client daemon) -> asio::awaitable<std::string> {
        tree.change();
        buildkit::build_options options = with_buildkit(engine::build_options());
        options.output = buildkit::build_output(kind, place());
        // So that the file is found in it.
        if (kind == outputs::oci || kind == outputs::docker)
          options.output.attributes = {{"compression", "uncompressed"}};
        const auto built = co_await build_of(daemon, tree.options(), options);
        co_return built.image_id + ' ' + (kind == outputs::local ? std::to_string(built.exported_files) : "");
      },
      how);
}

}  // namespace

TEST_SUITE("daemon/build faults") {
  TEST_CASE("a build in a session: the image, or an error, and no image under its name that is another one") {
    if (!has_sessions()) return;
    const archive::context_options usual;
    break_build("session-faults", usual.mode, 6, build_in_session);
  }

  TEST_CASE(
      "a build of an archive: the image, or an error, and no image under its name that is another one") {
    if (!has_sessions()) return;
    break_build("archive-faults", archive::ignore_mode::classic, 4, build_packed);
  }

  TEST_CASE("what is built into a directory or an archive here is right, or there is an error") {
    using outputs = buildkit::build_output::kind;
    if (!has_sessions()) return;
    engine_fixture engine;
    const bool containerd =
        engine.run(raw_of_image(engine.daemon(), base_image())).find("\"Descriptor\"") != std::string::npos;
    if (!containerd) MESSAGE("archives of images are skipped: the daemon has no containerd image store");
    for (const auto kind : {outputs::local, outputs::tar, outputs::oci, outputs::docker}) {
      if (!containerd && (kind == outputs::oci || kind == outputs::docker)) continue;
      CAPTURE(static_cast<int>(kind));
      break_output(kind);
    }
  }

  TEST_CASE(
      "an image that is built and pushed is in the registry under the digest that is told, or there is an "
      "error") {
    const char* registry = std::getenv("DOCKLINE_TEST_REGISTRY");
    if (!has_sessions() || registry == nullptr) {
      MESSAGE("skipped: no sessions, or DOCKLINE_TEST_REGISTRY is not set");
      return;
    }
    engine_fixture engine;
    const std::string own = engine.name("built-and-pushed");
    changing_tree tree("FROM " + base_image() + "\nCOPY in /in\n");
    const auto tag = [&] { return std::string(registry) + "/" + own + ":" + std::to_string(tree.number()); };
    std::string digest;
    breaking how(3);
    how.endless = true;
    how.afterwards = [&](const attempted& it) {
      if (it.succeeded && it.how.kind != test::line_fault::corrupt)
        CHECK(digest_in_registry(engine, tag()) == digest);
      check_image(engine, it, tag(), tree.content());
    };
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          tree.change();
          engine::build_options image;
          image.tags = {tag()};
          image.labels = {{own, "1"}};
          buildkit::build_options options = with_buildkit(std::move(image));
          options.output.push = true;
          const auto built = co_await build_of(daemon, tree.options(), options);
          digest = built.manifest_digest;
          co_return digest.empty() ? "" : "pushed";
        },
        how);
    forget_labelled(engine, own);
  }

  TEST_CASE("a step that is given a secret and an ssh agent has them, or there is an error") {
    if (!has_sessions()) return;
    const scratch_tree sockets;
    changing_tree tree(
        "FROM " + base_image() + "\nCOPY in /in\n" +
        "RUN --mount=type=secret,id=word,required=true --mount=type=ssh,id=keys,required=true " +
        "[\"/probe\", \"show\", \"/run/secrets/word\"]\n" +
        "RUN --mount=type=ssh,id=keys,required=true [\"/probe\", \"keys\"]\n");
    breaking how(3);
    how.endless = true;
    break_everywhere(
        [&](engine::client daemon) -> asio::awaitable<std::string> {
          tree.change();
          const std::string path = sockets.path(std::to_string(tree.number()));
          const small_agent agent(daemon.get_executor(), path);
          buildkit::build_options options = with_buildkit(engine::build_options());
          options.output = buildkit::build_output(buildkit::build_output::kind::none);
          options.secrets.push_back(buildkit::secret::from_memory("word", "swordfish\n"));
          options.ssh_agents.emplace_back("keys", path);
          std::string said;
          progress::event_sink listen = [&](const progress::event& news) {
            if (const auto* log = std::get_if<progress::step_log>(&news.body)) said += log->bytes;
          };
          co_await build_of(daemon, tree.options(), options, listen);
          const bool shown = said.find("swordfish\n") != said.npos;
          co_return std::string(shown ? "shown" : "hidden") +
              (said.find("answer 12, 3 keys") != said.npos ? " keys" : "");
        },
        how);
  }
}

}  // namespace dockline::daemon_test
