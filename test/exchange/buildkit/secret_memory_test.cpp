// Where a build's secrets were, once they are not needed: looked for in all memory that is given back.

#include "dockline/buildkit/secret.hpp"

#include "buildkit/secrets.hpp"
#include "exchange/buildkit/in_session.hpp"
#include "support/failing_memory.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/thread_pool.hpp>

#include <doctest/doctest.h>
#include <protozero/pbf_writer.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::test {
namespace {

// Too long to be in a string's own object, which is not given back alone.
constexpr std::string_view watched_secret =
    "a secret that no block of memory keeps: 5up3r-s3cr3t-0123456789abcdef";

std::string secret_request(std::string_view id) {
  std::string message;
  protozero::pbf_writer(message).add_string(1, id.data(), id.size());
  return message;
}

}  // namespace

TEST_SUITE("exchange/secrets") {
  TEST_CASE("a secret is overwritten where it was read, sent and held") {
    if (!has_own_new) {
      MESSAGE("skipped: the thread sanitizer's operator new cannot be replaced");
      return;
    }
    const archive::scratch_tree folder;
    folder.file("secret", watched_secret);
    std::atomic<int> right = 0;
    fake_daemon daemon([&](peer& client) {
      freed_memory_watch::leave_out_this_thread();
      client.read_request();
      client.send(session_answer);
      asking_daemon asks(client);
      for (const char* id : {"held", "file", "held", "file"}) {
        const auto& answer = asks.ask("/moby.buildkit.secrets.v1.Secrets/GetSecret", secret_request(id));
        right += answer.messages.size() == 1 && answer.messages[0].ends_with(watched_secret);
      }
    });
    const freed_memory_watch watch(watched_secret);
    {
      // The watch sees what is not overwritten.
      const std::string plain(watched_secret);
      asm volatile("" : : "r"(plain.data()) : "memory");
    }
    CHECK(watch.found() == 1);
    {
      in_session talk(daemon);
      asio::thread_pool work(1);
      buildkit::session_options options;
      options.id = "s1";
      options.shared_key = "k1";
      std::vector<buildkit::secret> secrets;
      secrets.push_back(buildkit::secret::from_memory("held", std::string(watched_secret)));
      secrets.push_back(buildkit::secret::from_file("file", folder.path("secret")));
      buildkit::offer_secrets(options.services, std::move(secrets), work.get_executor());
      talk.run_session(std::move(options));
    }
    CHECK(right == 4);
    CHECK(watch.found() == 1);
  }
}

}  // namespace dockline::test
