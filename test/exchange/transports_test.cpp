// The ways to a daemon besides its Unix socket: TCP, TLS, a stream of the caller's own.

#include "dockline/core/make_stream.hpp"

#include "exchange/attached.hpp"
#include "support/certificates.hpp"
#include "support/relay.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <openssl/ssl.h>

#include <vector>

namespace dockline::test {
namespace {

std::string tcp_host(const std::string& host, std::uint16_t port) {
  return "tcp://" + host + ":" + std::to_string(port);
}

// A port on which nobody listens: one that was just given back.
std::uint16_t free_port() {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

// What the machine takes a name for.
bool leads_to(const std::string& name, const std::string& host) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  error_code code;
  for (const auto& one : resolver.resolve(name, "1", code)) {
    if (one.endpoint().address() == asio::ip::make_address(host)) return true;
  }
  return false;
}

// Files of both sides, made once: keys take their time.
struct pki {
  pki() : known("known authority"), stranger("unknown authority") {
    certificate_request client;
    client.for_client = true;
    const key_pair own = known.issue(client);
    certificate = write_file(folder / "cert.pem", own.certificate);
    key = write_file(folder / "key.pem", own.key);
    key_text = own.key;
    locked_key = write_file(folder / "locked.pem", locked(own.key));
    const key_pair strange = stranger.issue(client);
    strange_certificate = write_file(folder / "strange-cert.pem", strange.certificate);
    strange_key = write_file(folder / "strange-key.pem", strange.key);
    ca = write_file(folder / "ca.pem", known.certificate());
    garbage = write_file(folder / "garbage.pem", "no PEM at all\n");
  }

  relay_tls daemon(std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1", "IP:::1"}) const {
    certificate_request wanted;
    wanted.names = std::move(names);
    relay_tls side;
    side.own = known.issue(wanted);
    return side;
  }

  scratch_folder folder;
  authority known;
  authority stranger;
  std::string ca, certificate, key, locked_key, strange_certificate, strange_key, garbage, key_text;
};

const pki& files() {
  static const pki all;
  return all;
}

engine::client_options tls_options_for(const std::string& host) {
  engine::client_options options = options_for(host);
  options.tls.enabled = true;
  options.tls.ca_file = files().ca;
  return options;
}

// Input to its end, the half-close, and what the container writes after it.
void check_half_close(attached& talk) {
  engine::attach_options options;
  options.in = true;
  const auto streams = talk.attach(options);
  REQUIRE(streams.code == error_code());
  heard what;
  auto input = std::make_shared<scripted_source>(talk.context.get_executor(), 300'000);
  const auto seen = talk.listen(streams.value, what, input);
  CHECK(seen.words() == error_code().message());
  CHECK(what.out == "after the end");
}

void serve_half_close(peer& client) {
  client.read_request();
  client.send(upgraded);
  client.wait_for_close();
  client.send(frame(1, "after the end"));
}

}  // namespace

TEST_SUITE("exchange/transports") {
  TEST_CASE("tcp: requests share a connection, a body streams, by address and by name") {
    fake_daemon daemon(serve_everything);
    for (const char* own : {"127.0.0.1", "::1"}) {
      relay port(own, daemon.host());
      std::vector<std::string> names = {own == std::string("::1") ? "[::1]" : own};
      if (leads_to("localhost", own)) names.push_back("localhost");
      for (const auto& name : names) {
        CAPTURE(name);
        conversation talk(options_for(tcp_host(name, port.port())));
        const int before = port.accepted();
        CHECK(talk.version().words() == error_code().message());
        CHECK(talk.version().value.version == "1.2.3");
        CHECK(port.accepted() == before + 1);
        CHECK(talk.build(5'000'000).value.id == image_id);
      }
    }
  }

  TEST_CASE("tcp: the end of a container's input is a half-close") {
    fake_daemon daemon(serve_half_close);
    relay port("127.0.0.1", daemon.host());
    attached talk(options_for(tcp_host("127.0.0.1", port.port())));
    check_half_close(talk);
    CHECK(daemon.wait()[0].after == std::string(300'000, 'x'));
  }

  TEST_CASE("tcp: a port on which nobody listens, and a host that there is not") {
    const std::string host = tcp_host("127.0.0.1", free_port());
    conversation talk(options_for(host));
    auto seen = talk.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words() ==
          "cannot connect to the daemon at " + host +
              ": nobody listens on the port; is the daemon running, and told to listen on TCP?");
    CHECK(talk.build().code == condition::unreachable);

    conversation nowhere(options_for("tcp://no-such-host.invalid:2375"));
    seen = nowhere.version();
    CHECK(seen.code == errc::cannot_connect);
    CHECK(seen.words() == "cannot connect to the daemon at tcp://no-such-host.invalid:2375: no such host");
  }

  TEST_CASE("tcp: all addresses of a name are tried") {
    // Where "localhost" is ::1 and 127.0.0.1, only one of them listens.
    fake_daemon daemon(serve_everything);
    for (const char* own : {"127.0.0.1", "::1"}) {
      if (!leads_to("localhost", own)) continue;
      relay port(own, daemon.host());
      conversation talk(options_for(tcp_host("localhost", port.port())));
      CHECK(talk.version().value.version == "1.2.3");
    }
  }

  TEST_CASE("tcp: a host that does not answer is given up at the deadline, and when it is cancelled") {
    // A queue of connections that is full drops what comes: with nobody accepting, one or two fill it.
    asio::io_context other;
    asio::ip::tcp::acceptor acceptor(other);
    acceptor.open(asio::ip::tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    std::vector<asio::ip::tcp::socket> fill;
    for (int i = 0; i < 3; ++i) {
      fill.emplace_back(other);
      fill.back().async_connect(acceptor.local_endpoint(), [](error_code) {});
    }
    other.run_for(20ms);
    engine::client_options options = options_for(tcp_host("127.0.0.1", acceptor.local_endpoint().port()));
    options.connect_timeout = 100ms;
    options.answer_timeout = 100ms;
    {
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::timed_out);
      CHECK(seen.words().find("no answer in 100 ms") != std::string::npos);
    }
    options.connect_timeout = 0ms;
    conversation talk(options);
    const auto seen = talk.begin_version();
    talk.context.run_for(20ms);
    CHECK(seen->completions == 0);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->code == condition::cancelled);
  }

  TEST_CASE("tls: both sides known to each other, of either version, by name and by address") {
    fake_daemon daemon(serve_everything);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      relay_tls side = files().daemon();
      side.client_authority = files().known.certificate();
      side.newest_version = version;
      relay port("127.0.0.1", daemon.host(), side);
      for (const char* name : {"localhost", "127.0.0.1"}) {
        CAPTURE(version);
        CAPTURE(std::string(name));
        engine::client_options options = tls_options_for(tcp_host(name, port.port()));
        options.tls.certificate_file = files().certificate;
        options.tls.key_file = files().key;
        conversation talk(options);
        CHECK(talk.version().words() == error_code().message());
        CHECK(talk.version().value.version == "1.2.3");
        CHECK(talk.build(5'000'000).value.id == image_id);
        CHECK(port.accepted() <= 4);
        CHECK(port.asked_for() == (std::string(name) == "localhost" ? "localhost" : ""));
      }
    }
  }

  TEST_CASE("tls: the end of a container's input is told inside of TLS, and reading goes on") {
    fake_daemon daemon(serve_half_close);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      relay_tls side = files().daemon();
      side.newest_version = version;
      relay port("127.0.0.1", daemon.host(), side);
      attached talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
      check_half_close(talk);
    }
    for (const auto& record : daemon.wait(2)) CHECK(record.after == std::string(300'000, 'x'));
  }

  TEST_CASE("tls: an answer that is cut at any byte is not taken for a whole one") {
    // Its body ends where the connection does, which only TLS's own farewell tells from a cut.
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\n" + built;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      CAPTURE(version);
      relay_tls side = files().daemon();
      side.newest_version = version;
      {
        fake_daemon daemon([&](peer& client) {
          client.read_request();
          client.send(answer);
        });
        relay port("127.0.0.1", daemon.host(), side);
        conversation talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
        const auto whole = talk.build(10);
        CHECK_MESSAGE(!whole.code, whole.words());
        CHECK(whole.value.id == image_id);
      }
      side.says_farewell = false;
      fake_daemon daemon([&](peer& client) {
        client.read_request();
        client.send(std::string_view(answer).substr(0, client.number()));
      });
      relay port("127.0.0.1", daemon.host(), side);
      // The whole of it, too: whether more was to come is not known.
      for (std::size_t size = 0; size <= answer.size(); ++size) {
        CAPTURE(size);
        conversation talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
        const auto seen = talk.build(10);
        CHECK(seen.code == errc::connection_lost);
        CHECK(seen.value.id.empty());
      }
    }
  }

  TEST_CASE("tls: what is wrong with the daemon's certificate is said") {
    fake_daemon daemon(serve_everything);
    struct row {
      const char* what;
      relay_tls side;
      std::string words;
    };
    certificate_request expired;
    expired.names = {"IP:127.0.0.1"};
    expired.valid_from = -7200;
    expired.valid_until = -3600;
    certificate_request future;
    future.names = {"IP:127.0.0.1"};
    future.valid_from = 3600;
    certificate_request local;
    local.names = {"IP:127.0.0.1"};
    std::vector<row> rows;
    rows.push_back({"expired", {}, "its certificate has expired (it was valid until "});
    rows.back().side.own = files().known.issue(expired);
    rows.push_back({"not yet valid", {}, "its certificate is not yet valid (only from "});
    rows.back().side.own = files().known.issue(future);
    rows.push_back(
        {"unknown issuer",
         {},
         "its certificate is signed by an authority that is not known here: CN = unknown authority; "
         "known are those of \"" +
             files().ca + "\""});
    rows.back().side.own = files().stranger.issue(local);
    rows.push_back(
        {"another host", files().daemon({"DNS:docker.example", "DNS:*.build.example", "IP:10.0.0.1"}),
         "its certificate is not for \"127.0.0.1\" but for docker.example, *.build.example, 10.0.0.1"});
    rows.push_back(
        {"no names", files().daemon({}), "its certificate is not for \"127.0.0.1\" but for no name at all"});
    for (auto& [what, side, words] : rows) {
      CAPTURE(std::string(what));
      relay port("127.0.0.1", daemon.host(), side);
      const std::string host = tcp_host("127.0.0.1", port.port());
      engine::client_options options = tls_options_for(host);
      {
        conversation talk(options);
        const auto seen = talk.version();
        CHECK(seen.code == errc::tls_failed);
        CHECK(seen.code == condition::unreachable);
        CHECK(seen.words().substr(0, 34 + host.size() + words.size()) ==
              "cannot connect to the daemon at " + host + ": " + words);
      }
      // As `docker --tls` without `--tlsverify` does.
      options.tls.verify = false;
      conversation careless(options);
      CHECK(careless.version().words() == error_code().message());
    }
    CHECK(daemon.accepted() == rows.size());
  }

  TEST_CASE("tls: another name may be asked for than the address has") {
    fake_daemon daemon(serve_everything);
    relay port("127.0.0.1", daemon.host(), files().daemon({"DNS:docker.example"}));
    engine::client_options options = tls_options_for(tcp_host("127.0.0.1", port.port()));
    options.tls.server_name = "docker.example";
    conversation talk(options);
    CHECK(talk.version().words() == error_code().message());
    CHECK(port.asked_for() == "docker.example");
  }

  TEST_CASE("tls: a client certificate that is missing, or of a stranger, is what the daemon refuses") {
    fake_daemon daemon(serve_everything);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      CAPTURE(version);
      relay_tls side = files().daemon();
      side.client_authority = files().known.certificate();
      side.newest_version = version;
      relay port("127.0.0.1", daemon.host(), side);
      engine::client_options options = tls_options_for(tcp_host("127.0.0.1", port.port()));
      {
        conversation talk(options);
        const auto seen = talk.version();
        CHECK(seen.code == errc::tls_failed);
        CHECK(seen.words().find("it wants a client certificate, and was shown none") != std::string::npos);
      }
      options.tls.certificate_file = files().strange_certificate;
      options.tls.key_file = files().strange_key;
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::tls_failed);
      CHECK(seen.words().find("it refuses the client certificate \"" + files().strange_certificate + "\"") !=
            std::string::npos);
    }
    CHECK(daemon.accepted() == 0);
  }

  TEST_CASE("tls: a daemon that speaks none, one too old, and one that hangs up") {
    fake_daemon daemon([](peer& client) {
      client.read_raw(1);
      client.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    {
      relay port("127.0.0.1", daemon.host());
      conversation talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
      const auto seen = talk.version();
      CHECK(seen.code == errc::tls_failed);
      CHECK(seen.words().find("it does not speak TLS") != std::string::npos);
    }
    {
      relay_tls side = files().daemon();
      side.newest_version = TLS1_1_VERSION;
      relay port("127.0.0.1", daemon.host(), side);
      conversation talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
      const auto seen = talk.version();
      CHECK(seen.code == errc::tls_failed);
      CHECK(seen.words().find("it speaks no TLS of version 1.2 or newer") != std::string::npos);
    }
    fake_daemon silent([](peer& client) { client.read_raw(1); });
    relay port("127.0.0.1", silent.host());
    conversation talk(tls_options_for(tcp_host("127.0.0.1", port.port())));
    const auto seen = talk.version();
    CHECK(seen.code == condition::unreachable);
    CHECK(seen.words().find("it closed the connection") != std::string::npos);
  }

  TEST_CASE("tls: a handshake that does not end is given up at the deadline, and when it is cancelled") {
    fake_daemon daemon([](peer& client) { client.wait_for_close(); });
    relay port("127.0.0.1", daemon.host());
    engine::client_options options = tls_options_for(tcp_host("127.0.0.1", port.port()));
    options.connect_timeout = 80ms;
    {
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::timed_out);
      CHECK(seen.words().find("no answer in 80 ms") != std::string::npos);
    }
    options.connect_timeout = 0ms;
    conversation talk(options);
    const auto seen = talk.begin_version();
    talk.context.run_for(50ms);
    talk.cancel.emit(asio::cancellation_type::terminal);
    talk.run();
    CHECK(seen->completions == 1);
    CHECK(seen->code == condition::cancelled);
  }

  TEST_CASE("tls: files that cannot be used are bad input, and named") {
    struct row {
      std::string ca, certificate, key, words;
    };
    const pki& has = files();
    const std::string none = has.folder / "none.pem";
    const std::vector<row> rows = {
        {none, "", "", "TLS CA file \"" + none + "\": No such file or directory"},
        {has.garbage, "", "", "TLS CA file \"" + has.garbage + "\": holds no PEM certificate"},
        {has.folder / "", "", "", "TLS CA file \"" + (has.folder / "") + "\": Is a directory"},
        {has.ca, none, has.key, "TLS certificate \"" + none + "\": No such file or directory"},
        {has.ca, has.certificate, none, "TLS key \"" + none + "\": No such file or directory"},
        {has.ca, has.garbage, has.key, "TLS certificate \"" + has.garbage + "\": holds no PEM certificate"},
        {has.ca, has.certificate, has.garbage, "TLS key \"" + has.garbage + "\": holds no PEM private key"},
        {has.ca, has.certificate, has.locked_key,
         "TLS key \"" + has.locked_key + "\": has a passphrase; only keys without one can be used"},
        {has.ca, has.certificate, has.strange_key,
         "TLS key \"" + has.strange_key + "\": is not the key of the certificate \"" + has.certificate +
             "\""},
        {has.ca, has.certificate, "", "TLS: a certificate without its private key"},
        {has.ca, "", has.key, "TLS: a private key without its certificate"},
    };
    for (const auto& [ca, certificate, key, words] : rows) {
      engine::client_options options = options_for("tcp://127.0.0.1:1");
      options.tls.enabled = true;
      options.tls.ca_file = ca;
      options.tls.certificate_file = certificate;
      options.tls.key_file = key;
      conversation talk(options);
      const auto seen = talk.version();
      CHECK(seen.code == errc::invalid_argument);
      CHECK(seen.words() == words);
    }
  }

  TEST_CASE("tls: the client's key is in no word of ours, and nothing of it reaches the daemon") {
    const std::string& key = files().key_text;
    std::vector<std::string> lines;
    for (std::size_t at = key.find('\n') + 1; key[at] != '-'; at = key.find('\n', at) + 1)
      lines.push_back(key.substr(at, key.find('\n', at) - at));
    REQUIRE(lines.size() >= 2);
    const auto check_no_key_in = [&](const std::string& text) {
      for (const std::string& line : lines) CHECK((line.size() < 16 || text.find(line) == std::string::npos));
    };
    fake_daemon daemon(serve_everything);
    relay_tls side = files().daemon();
    side.client_authority = files().known.certificate();
    relay port("127.0.0.1", daemon.host(), side);
    engine::client_options options = tls_options_for(tcp_host("127.0.0.1", port.port()));
    options.tls.certificate_file = files().certificate;
    options.tls.key_file = files().key;
    std::string told;
    options.on_exchange = [&](const http::exchange_event& what) { told += what.head; };
    {
      conversation talk(options);
      CHECK(talk.version().value.version == "1.2.3");
    }
    CHECK(!told.empty());
    check_no_key_in(told);
    for (const auto& record : daemon.wait())
      for (const auto& request : record.requests) check_no_key_in(request.head + request.body);
    // Nor is it shown where it cannot be used: with another one's certificate, as a certificate, as an authority.
    for (const auto use : {&http::tls_options::certificate_file, &http::tls_options::ca_file}) {
      engine::client_options wrong = options;
      wrong.tls.*use = use == &http::tls_options::ca_file ? files().key : files().strange_certificate;
      conversation talk(wrong);
      const auto seen = talk.version();
      CHECK(seen.code == errc::invalid_argument);
      check_no_key_in(seen.words());
    }
  }

  TEST_CASE("a stream of the caller's own, asked for once for each connection") {
    fake_daemon daemon(serve_everything);
    asio::io_context context;
    int asked = 0;
    engine::connector connect = [&](engine::connect_handler handler) {
      ++asked;
      auto socket = std::make_shared<asio::local::stream_protocol::socket>(context);
      socket->async_connect(asio::local::stream_protocol::endpoint(daemon.host().substr(7)),
                            [socket, handler = std::move(handler)](error_code code) mutable {
                              std::unique_ptr<stream> made;
                              if (!code) made = make_stream(std::move(*socket));
                              std::move(handler)(code, std::move(made));
                            });
    };
    engine::client_options options = options_for("not even an address");
    options.tls.enabled = true;
    engine::client client(context.get_executor(), connect, options);
    std::vector<std::string> versions;
    const auto ask = [&] {
      engine::async_version(client, [&](error_code code, const engine::version_result& found) {
        versions.push_back(code ? code.message() : found.version);
      });
      context.restart();
      context.run_for(patience);
    };
    ask();
    ask();
    CHECK(versions == std::vector<std::string>(2, "1.2.3"));
    CHECK(asked == 1);
  }

  TEST_CASE("a connector that fails, that gives nothing, that takes too long, that is cancelled") {
    asio::io_context context;
    const auto ask = [&](const engine::connector& connect, asio::cancellation_signal* cancel = nullptr) {
      outcome<nothing> end;
      engine::client_options options = options_for("");
      options.connect_timeout = cancel != nullptr ? 0ms : 50ms;
      engine::client client(context.get_executor(), connect, options);
      const auto handler = [&](error_code code, const engine::version_result&) {
        ++end.completions;
        end.code = code;
      };
      if (cancel != nullptr) {
        engine::async_version(client, end.why, asio::bind_cancellation_slot(cancel->slot(), handler));
        context.restart();
        context.run_for(20ms);
        cancel->emit(asio::cancellation_type::terminal);
      } else {
        engine::async_version(client, end.why, handler);
      }
      context.restart();
      context.run_for(patience);
      CHECK(end.completions == 1);
      return end;
    };
    const auto answer = [&](error_code code) {
      return [&context, code](engine::connect_handler handler) {
        asio::post(context,
                   [handler = std::move(handler), code]() mutable { std::move(handler)(code, nullptr); });
      };
    };
    // Completes only when it is cancelled.
    const auto never = [&](engine::connect_handler handler) {
      auto timer = std::make_shared<asio::steady_timer>(context, asio::steady_timer::time_point::max());
      auto slot = asio::get_associated_cancellation_slot(handler);
      timer->async_wait([timer, handler = std::move(handler)](error_code code) mutable {
        std::move(handler)(code, nullptr);
      });
      slot.assign([timer](asio::cancellation_type) { timer->cancel(); });
    };
    auto end = ask(answer(asio::error::connection_refused));
    CHECK(end.code == errc::cannot_connect);
    CHECK(end.words() == "cannot connect to the daemon: Connection refused");
    end = ask(answer({}));
    CHECK(end.code == errc::cannot_connect);
    CHECK(end.words() == "cannot connect to the daemon: no stream was given");
    end = ask(never);
    CHECK(end.code == errc::timed_out);
    CHECK(end.words() == "cannot connect to the daemon: no connection in 50 ms");
    asio::cancellation_signal cancel;
    end = ask(never, &cancel);
    CHECK(end.code == condition::cancelled);
  }
}

}  // namespace dockline::test
