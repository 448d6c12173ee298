#include "h2/peer.hpp"

#include "unit/h2/conversation.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace dockline::h2 {
namespace {

const std::string request_text = "headers :method=POST :scheme=http :path=/a.B/C :authority=here; ";

// A client and a server that have told each other their settings.
struct pair_of_peers {
  explicit pair_of_peers(peer_limits client_limits = {}, peer_limits server_limits = {})
      : client(role::client, client_limits), server(role::server, server_limits) {
    talk(client, server);
    CHECK(client.log == "settings; ");
    CHECK(server.log == "settings; ");
    client.log.clear();
    server.log.clear();
  }

  stream_id ask() { return *client.self.submit_request(request_fields(), false); }
  void exchange(std::size_t cut = std::string::npos) { talk(client, server, cut); }

  side client;
  side server;
};

}  // namespace

TEST_SUITE("h2/peer") {
  TEST_CASE("a request and its answer with bodies and trailers, cut anywhere") {
    for (const std::size_t cut : {1u, 2u, 3u, 7u, 9u, 10u, 4000u, 1u << 20}) {
      CAPTURE(cut);
      side client(role::client);
      side server(role::server);
      const stream_id id = *client.self.submit_request(request_fields(), false);
      CHECK(id == 1);
      CHECK(client.self.write(id, "ques") == 4);
      CHECK(client.self.write(id, "tion") == 4);
      client.self.finish(id);
      talk(client, server, cut);
      CHECK(server.streams[1].log == request_text + "end; ");
      CHECK(server.streams[1].body == "question");

      server.self.submit_response(id, response_fields(), false);
      CHECK(server.self.write(id, std::string(50'000, 'a')) == 50'000);
      server.self.finish(id, {{"grpc-status", "0"}});
      talk(client, server, cut);
      CHECK(client.streams[1].log == "headers :status=200; trailers grpc-status=0; end; closed NO_ERROR; ");
      CHECK(client.streams[1].body == std::string(50'000, 'a'));
      CHECK(server.streams[1].log == request_text + "end; closed NO_ERROR; ");
      CHECK(client.failure == error_code());
      CHECK(server.failure == error_code());
      CHECK_FALSE(client.self.done());
    }
  }

  TEST_CASE("headers alone, in both directions") {
    pair_of_peers two;
    const stream_id id = *two.client.self.submit_request(request_fields(), true);
    two.exchange();
    two.server.self.submit_response(id, {{":status", "404"}, {"why", "because"}}, true);
    two.exchange();
    CHECK(two.client.streams[id].log == "headers :status=404 why=because; end; closed NO_ERROR; ");
    CHECK(two.server.streams[id].log == request_text + "end; closed NO_ERROR; ");
  }

  TEST_CASE("several streams at once, each with its own bytes") {
    pair_of_peers two;
    for (int i = 0; i < 20; ++i) {
      const stream_id id = two.ask();
      two.client.self.write(id, std::string(static_cast<std::size_t>(i) * 1000, static_cast<char>('a' + i)));
      two.client.self.finish(id);
    }
    two.exchange(100);
    for (int i = 0; i < 20; ++i) {
      CHECK(two.server.streams[1 + 2 * i].body ==
            std::string(static_cast<std::size_t>(i) * 1000, static_cast<char>('a' + i)));
    }
  }

  TEST_CASE("what is not consumed holds the other side back, and so does a full buffer") {
    peer_limits small;
    small.stream_window = 10'000;
    small.send_buffer = 4000;
    pair_of_peers two(small, small);
    two.server.consumes = false;
    const stream_id id = two.ask();
    const std::string block(4000, 'x');
    std::size_t written = 0;
    for (int round = 0; round < 20; ++round) {
      written += two.client.self.write(id, block);
      two.exchange();
    }
    CHECK(two.server.streams[id].body.size() == 10'000);
    CHECK(written == 14'000);
    CHECK(two.client.self.write(id, "y") == 0);
    CHECK(two.client.log == "");

    two.server.self.consumed(id, 9000);
    two.exchange();
    CHECK(two.server.streams[id].body.size() == 14'000);
    CHECK(two.client.log == "room 1; ");
    // More than there was is not believed.
    two.server.self.consumed(id, 1 << 30);
    two.client.self.write(id, block);
    two.client.self.finish(id);
    two.exchange();
    CHECK(two.server.streams[id].body.size() == 18'000);
    CHECK(two.server.streams[id].log == request_text + "end; ");
  }

  TEST_CASE("an output limit is kept to, and nothing is lost by it") {
    pair_of_peers two;
    const stream_id id = two.ask();
    two.exchange();
    two.server.self.submit_response(id, response_fields(), false);
    for (int i = 0; i < 3; ++i) two.server.self.write(id, std::string(20'000, static_cast<char>('a' + i)));
    two.server.self.finish(id, {{"t", "1"}});
    for (int rounds = 0;; ++rounds) {
      const std::string some = two.server.take(100);
      CHECK(some.size() < 100 + 16384 + 9);
      if (some.empty()) break;
      REQUIRE(rounds < 50);
      two.client.eat(some);
    }
    CHECK(two.client.streams[id].body ==
          std::string(20'000, 'a') + std::string(20'000, 'b') + std::string(20'000, 'c'));
    CHECK(two.client.streams[id].log == "headers :status=200; trailers t=1; end; closed NO_ERROR; ");
  }

  TEST_CASE("a reset ends one stream, from either side, and the others go on") {
    pair_of_peers two;
    const stream_id first = two.ask();
    const stream_id second = two.ask();
    two.client.self.write(first, "lost?");
    two.exchange();
    two.client.self.reset(first, reason::cancel);
    CHECK(two.client.self.write(first, "dropped") == 7);
    two.exchange();
    CHECK(two.server.streams[first].log == request_text + "closed CANCEL; ");
    CHECK(two.client.streams[first].log == "closed CANCEL; ");
    CHECK(two.client.self.write(first, "late") == 0);
    two.server.self.submit_response(first, response_fields(), true);
    two.server.self.finish(first);
    two.server.self.reset(first, reason::cancel);
    two.server.self.consumed(first, 5);

    two.server.self.submit_response(second, response_fields(), false);
    two.server.self.write(second, "some");
    two.exchange();
    two.server.self.reset(second, reason::internal_error);
    two.exchange();
    CHECK(two.client.streams[second].log == "headers :status=200; closed INTERNAL_ERROR; ");
    CHECK(two.client.streams[second].body == "some");
    CHECK(two.client.failure == error_code());
    CHECK(two.server.failure == error_code());
  }

  TEST_CASE("a server that answers early has the client stop sending") {
    pair_of_peers two;
    const stream_id id = two.ask();
    two.client.self.write(id, "begun");
    two.exchange();
    two.server.self.submit_response(id, response_fields(), false);
    two.server.self.write(id, "enough");
    two.server.self.finish(id, {{"t", "1"}});
    two.exchange();
    CHECK(two.client.streams[id].body == "enough");
    CHECK(two.client.streams[id].log == "headers :status=200; trailers t=1; end; closed NO_ERROR; ");
    CHECK(two.server.streams[id].log == request_text + "closed NO_ERROR; ");
  }

  TEST_CASE("streams that end with bytes nobody took give the connection's window back") {
    peer_limits small;
    small.stream_window = 60'000;
    small.connection_window = 65'535;
    pair_of_peers two({}, small);
    two.server.consumes = false;
    for (int round = 0; round < 10; ++round) {
      const stream_id id = two.ask();
      CHECK(two.client.self.write(id, std::string(50'000, 'x')) == 50'000);
      two.exchange();
      REQUIRE(two.server.streams[id].body.size() == 50'000);
      two.server.self.reset(id, reason::cancel);
      two.exchange();
    }
  }

  TEST_CASE("more streams than the limit wait at the client") {
    peer_limits few;
    few.concurrent_streams = 2;
    pair_of_peers two({}, few);
    for (int i = 0; i < 4; ++i) two.ask();
    two.exchange();
    CHECK(two.server.streams.size() == 1 + 2);
    two.server.self.submit_response(1, response_fields(), true);
    two.exchange();
    CHECK(two.server.streams.count(5) == 1);
    CHECK(two.server.streams.count(7) == 0);
  }

  TEST_CASE("a request that waits for its turn is told when there will be none") {
    peer_limits one;
    one.concurrent_streams = 1;
    pair_of_peers two({}, one);
    const stream_id first = two.ask();
    const stream_id waits = two.ask();
    two.exchange();
    two.server.self.terminate(reason::no_error);
    two.exchange();
    two.client.self.reset(first, reason::cancel);
    two.exchange();
    CHECK(two.client.streams[first].log == "closed CANCEL; ");
    CHECK(two.client.streams[waits].log == "closed REFUSED_STREAM; ");
  }

  TEST_CASE("headers above the limit cost their stream, not the connection") {
    peer_limits small;
    small.header_list = 1000;
    pair_of_peers two({}, small);
    fields many = request_fields();
    for (int i = 0; i < 10; ++i) many.push_back({"name" + std::to_string(i), std::string(100, 'v')});
    const stream_id large = *two.client.self.submit_request(many, true);
    const stream_id fine = two.ask();
    two.exchange();
    CHECK(two.client.streams[large].log == "closed INTERNAL_ERROR; ");
    CHECK(two.server.streams.count(large) == 0);
    CHECK(two.server.streams[fine].log == request_text);
  }

  TEST_CASE("headers of megabytes arrive, and all streams together hold a bounded part of them") {
    peer_limits few;
    few.all_header_lists = 6 << 20;
    pair_of_peers two({}, few);
    fields many = request_fields();
    for (int i = 0; i < 2500; ++i)
      many.push_back(
          {"exclude-patterns", std::to_string(i) + std::string(900, static_cast<char>('a' + i % 26))});
    std::vector<stream_id> asked;
    for (int i = 0; i < 3; ++i) {
      asked.push_back(*two.client.self.submit_request(many, false));
      two.exchange();
    }
    for (const stream_id fine : {asked[0], asked[1]}) {
      CHECK(two.client.streams[fine].log.empty());
      CHECK(two.server.streams[fine].log.starts_with(request_text.substr(0, request_text.size() - 2)));
      CHECK(two.server.streams[fine].log.size() > 2'300'000);
    }
    CHECK(two.client.streams[asked[2]].log == "closed INTERNAL_ERROR; ");
    CHECK(two.server.streams.count(asked[2]) == 0);
    two.client.self.reset(asked[0], reason::cancel);
    two.exchange();
    const stream_id again = *two.client.self.submit_request(many, false);
    two.exchange();
    CHECK(two.client.streams[again].log.empty());
    CHECK(two.server.streams[again].log.size() > 2'300'000);
  }

  TEST_CASE("what one holds where nothing else is said: 256 KiB a stream, 1 MiB in all, 128 KiB to be sent") {
    pair_of_peers two;
    two.server.consumes = false;
    std::vector<stream_id> ids(6);
    for (stream_id& id : ids) id = two.ask();
    const std::string block(200'000, 'x');
    CHECK(two.client.self.write(ids[0], block) == 128 * 1024);
    const auto received = [&] {
      std::size_t all = 0;
      for (const stream_id id : ids) all += two.server.streams[id].body.size();
      return all;
    };
    const auto send_all = [&](std::size_t streams) {
      for (int round = 0; round < 8; ++round) {
        for (std::size_t i = 0; i < streams; ++i) two.client.self.write(ids[i], block);
        two.exchange();
      }
    };
    send_all(1);
    CHECK(received() == 256 * 1024);
    send_all(ids.size());
    CHECK(received() == 1024 * 1024);
    for (const stream_id id : ids) CHECK(two.server.streams[id].body.size() <= 256 * 1024);
  }

  TEST_CASE("headers of 4 MiB are taken where nothing else is said, and no more") {
    pair_of_peers two;
    // Each counts with its name and 32 bytes.
    std::size_t size = 0;
    for (const field& one : request_fields()) size += one.name.size() + one.value.size() + 32;
    const auto ask_with = [&](std::size_t all) {
      fields many = request_fields();
      std::size_t left = all - size;
      while (left > 0) {
        // More at once than a peer of ours may say.
        const std::size_t here = left > 2200 ? 1000 : left;
        many.push_back({"name", std::string(here - 36, 'v')});
        left -= here;
      }
      const stream_id id = *two.client.self.submit_request(many, true);
      two.exchange();
      return id;
    };
    const stream_id fits = ask_with(4 << 20);
    CHECK(two.server.streams[fits].log.starts_with("headers "));
    const stream_id large = ask_with((4 << 20) + 1);
    CHECK(two.server.streams.count(large) == 0);
    CHECK(two.client.streams[large].log == "closed INTERNAL_ERROR; ");
  }

  TEST_CASE("either side can end the connection, and the other one is told") {
    for (const bool by_client : {true, false}) {
      pair_of_peers two;
      side& ends = by_client ? two.client : two.server;
      side& hears = by_client ? two.server : two.client;
      ends.self.terminate(reason::no_error);
      ends.self.terminate(reason::internal_error);
      two.exchange();
      CHECK(hears.log == "goaway NO_ERROR ; ");
      CHECK(ends.self.done());
      CHECK(ends.failure == error_code());
      if (!by_client)
        CHECK(two.client.self.submit_request(request_fields(), true).error() == errc::connection_lost);
    }
  }
}

}  // namespace dockline::h2
