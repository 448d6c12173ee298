#include "support/relay.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace dockline::test {
namespace {

constexpr std::size_t most_held = 64 * 1024;

// One side of a connection: bytes come and go without waiting.
class side {
 public:
  side(int descriptor, SSL* session) : descriptor_(descriptor), session_(session) {}
  side(const side&) = delete;
  side& operator=(const side&) = delete;
  ~side() {
    SSL_free(session_);
    ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  SSL* session() const { return session_; }
  bool ended() const { return ended_; }    // nothing more comes
  bool broken() const { return broken_; }  // nothing more goes
  bool has_pending() const { return session_ != nullptr && SSL_pending(session_) > 0; }

  void read_into(std::string& out) {
    char block[16 * 1024];
    if (session_ != nullptr) {
      const int got = SSL_read(session_, block, sizeof(block));
      if (got > 0) {
        out.append(block, static_cast<std::size_t>(got));
      } else if (const int error = SSL_get_error(session_, got); error == SSL_ERROR_ZERO_RETURN) {
        ended_ = true;
      } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        ended_ = broken_ = true;
      }
      return;
    }
    const ssize_t got = ::recv(descriptor_, block, sizeof(block), MSG_DONTWAIT);
    if (got > 0) out.append(block, static_cast<std::size_t>(got));
    if (got == 0) ended_ = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) ended_ = broken_ = true;
  }

  void write_from(std::string& in) {
    if (session_ != nullptr) {
      const int done = SSL_write(session_, in.data(), static_cast<int>(in.size()));
      if (done > 0) {
        in.erase(0, static_cast<std::size_t>(done));
      } else if (const int error = SSL_get_error(session_, done);
                 error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        broken_ = true;
      }
      return;
    }
    const ssize_t done = ::send(descriptor_, in.data(), in.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done > 0) in.erase(0, static_cast<std::size_t>(done));
    if (done < 0 && errno != EAGAIN && errno != EINTR) broken_ = true;
  }

  void end_writing() {
    if (session_ != nullptr) {
      SSL_shutdown(session_);
    } else {
      ::shutdown(descriptor_, SHUT_WR);
    }
  }

 private:
  int descriptor_;
  SSL* session_;
  bool ended_ = false;
  bool broken_ = false;
};

int connect_to(const std::string& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

relay::relay(const std::string& host, const std::string& to, std::optional<relay_tls> tls)
    : target_(to.substr(std::strlen("unix://"))) {
  if (tls) {
    context_ = SSL_CTX_new(TLS_server_method());
    says_farewell_ = tls->says_farewell;
    const auto read = [](const std::string& text) {
      return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    };
    BIO* certificate_text = read(tls->own.certificate);
    BIO* key_text = read(tls->own.key);
    X509* certificate = PEM_read_bio_X509(certificate_text, nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_text);
    BIO_free(key_text);
    SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (tls->newest_version != 0) {
      SSL_CTX_set_security_level(context_, 0);
      SSL_CTX_set_min_proto_version(context_, 0);
      SSL_CTX_set_max_proto_version(context_, tls->newest_version);
    }
    if (!tls->client_authority.empty()) {
      BIO* text = read(tls->client_authority);
      X509* trusted = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), trusted);
      X509_free(trusted);
      BIO_free(text);
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), "0", &hints, &found) != 0) throw std::runtime_error("no address: " + host);
  listener_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool listening = listener_ >= 0 && ::bind(listener_, found->ai_addr, found->ai_addrlen) == 0 &&
                         ::listen(listener_, 64) == 0 && ::pipe2(stop_, O_CLOEXEC) == 0;
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  if (listening) ::getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size);
  port_ = ntohs(own.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&own)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&own)->sin_port);
  ::freeaddrinfo(found);
  if (!listening) throw std::runtime_error("the relay cannot listen on " + host);
  accepting_ = std::thread([this] { accept_all(); });
}

relay::~relay() {
  ::close(stop_[1]);
  accepting_.join();
  for (auto& thread : serving_) thread.join();
  ::close(listener_);
  ::close(stop_[0]);
  SSL_CTX_free(context_);
}

void relay::accept_all() {
  for (;;) {
    pollfd both[2] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(both, 2, -1);
    if (both[1].revents != 0) return;
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) continue;
    ++accepted_;
    serving_.emplace_back([this, descriptor] { serve(descriptor); });
  }
}

void relay::serve(int descriptor) {
  // OpenSSL writes to a socket that the client has closed.
  sigset_t pipes;
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
  SSL* session = nullptr;
  if (context_ != nullptr) {
    session = SSL_new(context_);
    SSL_set_fd(session, descriptor);
    SSL_set_accept_state(session);
  }
  side client(descriptor, session);
  while (session != nullptr) {
    const int done = SSL_do_handshake(session);
    if (done == 1) {
      const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
      asked_for_ = name != nullptr ? name : "";
      ++secured_;
      break;
    }
    const int error = SSL_get_error(session, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return;
    pollfd wait[2] = {{descriptor, static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0},
                      {stop_[0], POLLIN, 0}};
    ::poll(wait, 2, -1);
    if (wait[1].revents != 0) return;
  }
  const int target = connect_to(target_);
  if (target < 0) return;
  side daemon(target, nullptr);
  std::string to_daemon;
  std::string to_client;
  bool daemon_told = false;
  bool client_told = false;
  for (;;) {
    const bool more_in = !client.ended() && to_daemon.size() < most_held;
    const bool more_out = !daemon.ended() && to_client.size() < most_held;
    pollfd all[3] = {{client.descriptor(), 0, 0}, {daemon.descriptor(), 0, 0}, {stop_[0], POLLIN, 0}};
    if (more_in) all[0].events |= POLLIN;
    if (!to_client.empty()) all[0].events |= POLLOUT;
    if (more_out) all[1].events |= POLLIN;
    if (!to_daemon.empty()) all[1].events |= POLLOUT;
    if (all[0].events == 0) all[0].fd = -1;
    if (all[1].events == 0) all[1].fd = -1;
    if (!(more_in && client.has_pending())) ::poll(all, 3, -1);
    if (all[2].revents != 0) return;
    if (more_in && ((all[0].revents & ~POLLOUT) != 0 || client.has_pending())) client.read_into(to_daemon);
    if (more_out && (all[1].revents & ~POLLOUT) != 0) daemon.read_into(to_client);
    if (!to_daemon.empty()) daemon.write_from(to_daemon);
    if (!to_client.empty()) client.write_from(to_client);
    if (daemon.broken()) to_daemon.clear();
    if (client.broken()) return;
    if (client.ended() && to_daemon.empty() && !std::exchange(daemon_told, true)) daemon.end_writing();
    if (daemon.ended() && to_client.empty() && !says_farewell_) return;
    if (daemon.ended() && to_client.empty() && !std::exchange(client_told, true)) client.end_writing();
    // What the daemon's end closes is closed to the client as well, like a daemon that is done with it.
    if (daemon_told && client_told) return;
    if (client_told && client.session() == nullptr && daemon.broken()) return;
  }
}

}  // namespace dockline::test
