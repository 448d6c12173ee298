// ssh agents behind a session: a real one, and some that are none.

#include "buildkit/ssh_forward.hpp"

#include "exchange/buildkit/in_session.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace dockline::test {
namespace {

constexpr auto check_agent_path = "/moby.sshforward.v1.SSH/CheckAgent";
constexpr auto forward_path = "/moby.sshforward.v1.SSH/ForwardAgent";

std::string wrap(std::string_view bytes) {
  std::string message;
  protozero::pbf_writer(message).add_bytes(1, bytes.data(), bytes.size());
  return message;
}
std::string unwrap(const std::string& message) {
  protozero::pbf_reader fields(message);
  return fields.next() ? fields.get_string() : std::string();
}
std::string request(char kind) { return std::string("\0\0\0\1", 4) + kind; }

const std::string list = request(11);
const std::string remove_all = request(19);
const std::string failure("\0\0\0\1\5", 5);

// Somebody who listens on a socket, and answers each connection once with these bytes.
class false_agent {
 public:
  false_agent(std::string path, std::string answer)
      : acceptor_(loop_, boost::asio::local::stream_protocol::endpoint(path)), answer_(std::move(answer)) {
    thread_ = std::thread([this] {
      for (;;) {
        boost::system::error_code failed;
        boost::asio::local::stream_protocol::socket one(loop_);
        acceptor_.accept(one, failed);
        if (failed || stopping_) return;
        char block[64];
        one.read_some(boost::asio::buffer(block), failed);
        if (!failed) boost::asio::write(one, boost::asio::buffer(answer_), failed);
      }
    });
  }
  ~false_agent() {
    stopping_ = true;
    boost::system::error_code ignored;
    boost::asio::local::stream_protocol::socket last(loop_);
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

 private:
  boost::asio::io_context loop_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::string answer_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

struct asked {
  std::string check;
  std::string status;
  std::vector<std::string> answers;
};

// What a daemon that asks agent "default" hears.
asked ask(std::vector<buildkit::ssh_agent> agents, const std::vector<std::string>& pieces,
          std::string id = "default") {
  asked seen;
  fake_daemon daemon([&](peer& client) {
    client.read_request();
    client.send(session_answer);
    asking_daemon asks(client);
    seen.check = asks.ask(check_agent_path, wrap(id)).status;
    const auto forwarded = asks.begin(forward_path);
    for (const auto& piece : pieces) asks.write(forwarded, wrap(piece));
    asks.finish(forwarded);
    const auto& answer = asks.wait(forwarded);
    seen.status = answer.status;
    for (const auto& message : answer.messages) seen.answers.push_back(unwrap(message));
  });
  in_session talk(daemon);
  buildkit::session_options options;
  buildkit::offer_ssh_agents(options.services, std::move(agents));
  CHECK(talk.run_session(std::move(options)).over == errc::connection_lost);
  CHECK(daemon.wait()[0].script_failure == "");
  return seen;
}

}  // namespace

TEST_SUITE("exchange/ssh_forward") {
  TEST_CASE("a real agent lists its keys for a build, and keeps them") {
    if (::system("command -v ssh-agent >/dev/null && command -v ssh-add >/dev/null && command -v ssh-keygen "
                 ">/dev/null") != 0) {
      MESSAGE("no ssh-agent here");
      return;
    }
    const scratch_folder folder;
    const std::string socket = folder / "agent.sock";
    const std::string key = folder / "key";
    const std::string start = "ssh-keygen -q -t ed25519 -N '' -C dockline-test -f " + key +
                              " && ssh-agent -a " + socket +
                              " | sed -n 's/^SSH_AGENT_PID=\\([0-9]*\\).*/\\1/p' > " + folder / "pid" +
                              " && SSH_AUTH_SOCK=" + socket + " ssh-add -q " + key + " 2>/dev/null";
    REQUIRE(::system(start.c_str()) == 0);
    std::vector<buildkit::ssh_agent> agents;
    agents.emplace_back("default", socket);
    diagnostics why;
    CHECK(buildkit::check_ssh_agents(agents, why).has_value());
    // Requests in one piece and in many, in between one that is not let through.
    std::vector<std::string> pieces = {list + remove_all, list.substr(0, 3), list.substr(3)};
    const asked seen = ask(agents, pieces);
    const std::string stop = "kill $(cat " + folder / "pid" + ")";
    CHECK(::system(stop.c_str()) == 0);
    CHECK(seen.check == "0");
    CHECK(seen.status == "0");
    REQUIRE(seen.answers.size() == 3);
    CHECK(seen.answers[0].find("dockline-test") != std::string::npos);
    CHECK(seen.answers[1] == failure);
    CHECK(seen.answers[2] == seen.answers[0]);
  }

  TEST_CASE("an agent that is not there, or that was not given") {
    const scratch_folder folder;
    std::vector<buildkit::ssh_agent> agents;
    agents.emplace_back("default", folder / "none");
    asked seen = ask(agents, {list});
    CHECK(seen.check == "14 the ssh agent \"default\" does not answer: No such file or directory");
    CHECK(seen.status == seen.check);
    agents[0].id = "other";
    seen = ask(agents, {list});
    CHECK(seen.check == "5 no ssh agent \"default\" was given to the build");
    CHECK(seen.status == seen.check);
    agents[0] = buildkit::ssh_agent("default", std::string(200, 'x'));
    CHECK(ask(agents, {list}).check.starts_with("14 the ssh agent \"default\" does not answer: "));
  }

  TEST_CASE("an agent that breaks off, or speaks something else") {
    const scratch_folder folder;
    std::vector<buildkit::ssh_agent> agents;
    agents.emplace_back("default", folder / "a.sock");
    {
      const false_agent agent(folder / "a.sock", std::string("\0\0\0\7\x0c", 5));
      CHECK(ask(agents, {list}).status.starts_with("14 the ssh agent: "));
    }
    agents[0].socket = folder / "b.sock";
    {
      const false_agent agent(folder / "b.sock", "HTTP/1.1 400 Bad Request\r\n\r\n");
      CHECK(ask(agents, {list}).status == "8 the ssh agent: message too long");
    }
    agents[0].socket = folder / "c.sock";
    {
      const false_agent agent(folder / "c.sock", std::string("\0\0\0\1\x0c", 5));
      const asked seen = ask(agents, {list, "\xff\xff\xff\xff"});
      CHECK(seen.answers == std::vector<std::string>{std::string("\0\0\0\1\x0c", 5)});
      CHECK(seen.status == "8 this is not the protocol of ssh agents");
    }
  }

  TEST_CASE("agents are looked at before a build") {
    const scratch_folder folder;
    const auto complaint = [&](std::vector<buildkit::ssh_agent> agents) {
      diagnostics why;
      const auto checked = buildkit::check_ssh_agents(agents, why);
      if (checked.has_value()) return std::string("none");
      CHECK(checked.error() == errc::invalid_argument);
      std::string words = why.client_message();
      const std::string place = folder / "";
      if (const auto at = words.find(place); at != words.npos) words.erase(at, place.size());
      return words;
    };
    const auto at = [&](const char* id, const char* name) { return buildkit::ssh_agent(id, folder / name); };
    CHECK(complaint({}) == "none");
    CHECK(complaint({at("a", "none")}) == "ssh agent \"a\": none: No such file or directory");
    std::ofstream(folder / "key") << "not a socket";
    CHECK(complaint({at("a", "key")}) ==
          "ssh agent \"a\": key: not a socket; keys are added to an agent with ssh-add");
    CHECK(complaint({at("", "key")}) == "ssh agent: it has no id");
    {
      const false_agent agent(folder / "sock", "");
      CHECK(complaint({at("a", "sock")}) == "none");
      CHECK(complaint({at("a", "sock"), at("a", "sock")}) == "ssh agent \"a\": there are two of that id");
    }
    CHECK(complaint({at("a", "sock")}) == "ssh agent \"a\": sock: no agent listens there any more");
  }

  TEST_CASE("an agent as docker has it on its command line") {
    const char* before = std::getenv("SSH_AUTH_SOCK");
    const std::string kept = before == nullptr ? "" : before;
    ::setenv("SSH_AUTH_SOCK", "/run/agent", 1);
    diagnostics why;
    const auto plain = buildkit::parse_ssh_agent("default", why);
    REQUIRE(plain.has_value());
    CHECK(plain->id == "default");
    CHECK(plain->socket == "/run/agent");
    const auto given = buildkit::parse_ssh_agent("git=/tmp/a=b", why);
    REQUIRE(given.has_value());
    CHECK(given->id == "git");
    CHECK(given->socket == "/tmp/a=b");
    CHECK_FALSE(buildkit::parse_ssh_agent("git=", why).has_value());
    CHECK(why.client_message() == "ssh agent \"git=\": no socket follows the '='");
    CHECK_FALSE(buildkit::parse_ssh_agent("", why).has_value());
    ::unsetenv("SSH_AUTH_SOCK");
    CHECK(buildkit::parse_ssh_agent("default", why).error() == errc::invalid_argument);
    CHECK(why.client_message() ==
          "ssh agent \"default\": no socket is named, and SSH_AUTH_SOCK is not set; is an agent running?");
    if (before != nullptr) ::setenv("SSH_AUTH_SOCK", kept.c_str(), 1);
  }
}

}  // namespace dockline::test
