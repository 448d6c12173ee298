// Whatever a daemon asks in a session, and however its bytes are cut: a request is read or refused, each
// call is answered alike, the bytes that go back are frames, no more of them than what was asked for is
// worth, and when the connection ends no call is left. The first byte says what the rest is: a message, a
// call's metadata, bytes of a connection, or calls.

#include "dockline/core/diagnostics.hpp"

#include "buildkit/file_sender.hpp"
#include "buildkit/file_sync.hpp"
#include "buildkit/first_field.hpp"
#include "buildkit/health.hpp"
#include "buildkit/packet.hpp"
#include "buildkit/secrets.hpp"
#include "buildkit/ssh_forward.hpp"
#include "buildkit/text_fields.hpp"
#include "grpc/server.hpp"
#include "h2/peer.hpp"
#include "support/hand_fed_stream.hpp"
#include "unit/archive/memory_disk.hpp"
#include "unit/grpc/caller.hpp"

#include <protozero/pbf_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace dockline;
using namespace dockline::buildkit;

constexpr std::array<std::string_view, 7> paths = {
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/none/None",
};
constexpr std::string_view diff_copy = paths[5];

void require(bool truth) {
  if (!truth) std::abort();
}

void check_message(std::string_view message) {
  std::string written;
  protozero::pbf_writer writer(written);
  std::size_t held = 0;
  const bool whole = read_text_fields(message, [&](protozero::pbf_tag_type field, const std::string& text) {
    held += text.size();
    writer.add_string(field, text);
  });
  const auto first = first_field(message);
  require(first.has_value() == whole && held <= message.size());
  if (whole) require(first_field(written) == first);
}

std::shared_ptr<file_source> files() {
  static archive::memory_disk disk;
  if (disk.root.children.empty()) {
    disk.file("a/b", "text");
    disk.file("c", std::string(1000, 'x'));
    disk.other("link", archive::file_kind::symlink, "a/b");
  }
  auto source = std::make_shared<file_source>();
  source->files = &disk;
  return source;
}

// Lines "NAME: VALUE". What they ask for is found in the tree, or is not.
void check_metadata(std::string_view text) {
  grpc::metadata metadata;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(": ");
    if (colon != line.npos)
      metadata.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  const file_request wanted = read_file_request(metadata);
  require(wanted.include.size() + wanted.exclude.size() + wanted.follow.size() <= metadata.pairs().size());
  file_sender sender(files(), wanted);
  diagnostics why;
  message_batch batch;
  for (int rounds = 0;; ++rounds) {
    require(rounds < 100);
    batch.clear();
    const auto left = sender.fill(batch, why);
    if (!left) return require(!why.empty());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      packet read;
      require(read_packet(batch[i], read) && read.type == packet_type::stat);
    }
    if (*left != file_sender::state::more) return;
  }
}

grpc::service offered(const boost::asio::any_io_executor& executor) {
  grpc::service service;
  std::vector<secret> secrets;
  secrets.push_back(secret::from_memory("s", "value"));
  secrets.push_back(secret::from_file("gone", "/nonexistent/secret"));
  offer_secrets(service, std::move(secrets), executor);
  offer_ssh_agents(service, {ssh_agent("default", "/nonexistent/agent")});
  offer_health(service);
  auto shared = std::make_shared<synced_files>();
  shared->directories["context"] = files();
  shared->work = executor;
  offer_files(service, std::move(shared));
  return service;
}

// The same for a server whose executor is not known yet.
asio::awaitable<grpc::status> answer(std::string path, grpc::call made) {
  const grpc::service own = offered(made.get_executor());
  const grpc::handler does = *own.find(path);
  grpc::status outcome = co_await does(std::move(made));
  co_return outcome;
}

grpc::service offered_late() {
  grpc::service service;
  for (const std::string_view path : paths) {
    if (path == paths.back()) continue;
    service.add(std::string(path),
                [own = std::string(path)](grpc::call made) { return answer(own, std::move(made)); });
  }
  return service;
}

// What may differ with the cut, as a look of its own at the same bytes tells: calls with a deadline, and
// those of files, where the order in which they are asked for has a say.
struct asked {
  std::set<h2::stream_id> files;
  bool deadline = false;
};

asked look(std::string_view bytes) {
  asked seen;
  h2::peer self(h2::role::server);
  (void)self.receive(bytes);
  while (const auto what = self.next()) {
    for (const auto& one : what->headers) {
      if (one.name == "grpc-timeout") seen.deadline = true;
      if (one.name == ":path" && one.value == diff_copy) seen.files.insert(what->stream);
    }
  }
  return seen;
}

struct conversation {
  error_code end;
  std::string words;
  std::map<h2::stream_id, std::string> data;  // of the streams that were ended
};

// The frames of one direction: each is whole, and of a stream that the other side began.
void read_frames(std::string_view bytes, conversation& into) {
  std::map<h2::stream_id, std::string> data;
  bool first = true;
  while (!bytes.empty()) {
    require(bytes.size() >= 9);
    const auto byte = [&](std::size_t at) { return std::uint32_t{static_cast<unsigned char>(bytes[at])}; };
    const std::uint32_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
    const std::uint32_t type = byte(3);
    const std::uint32_t flags = byte(4);
    const auto stream = static_cast<h2::stream_id>(byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
    require(length <= 16384 && bytes.size() >= 9 + length && type <= 9);
    require(!first || type == 4);
    first = false;
    if (type == 0) data[stream] += bytes.substr(9, length);
    if (stream != 0) require(stream % 2 == 1);
    if (type <= 1 && (flags & 1) != 0) into.data[stream] = data[stream];
    bytes.remove_prefix(9 + length);
  }
}

conversation serve(std::string_view bytes, std::size_t piece) {
  boost::asio::io_context context(1);
  auto wire = std::make_shared<test::hand_fed_stream::state>(context.get_executor());
  conversation seen;
  std::optional<error_code> outcome;
  diagnostics why;
  std::string written;
  grpc::server serving(context.get_executor(),
                       std::make_unique<test::hand_fed_stream>(context.get_executor(), wire), {},
                       offered(context.get_executor()));
  spawn<void>(context.get_executor(), &why,
              completion_handler<void>([&outcome](error_code code) { outcome = code; }),
              [&serving](diagnostics& words) { return serving.run(words); });
  const auto run = [&] {
    do {
      written += wire->take();
      context.restart();
    } while (context.poll() > 0);
  };
  run();
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    wire->give(rest.substr(0, piece));
    run();
  }
  wire->end();
  run();
  if (!outcome) {
    serving.close();
    run();
  }
  require(outcome.has_value());
  seen.end = *outcome;
  seen.words = why.client_message();
  require(seen.end == errc::connection_lost || seen.end == errc::malformed_http2 || !seen.end);
  require(!seen.end || !why.empty());
  // A frame that is a few bytes may name what is in the table of header fields, and the answer may quote it.
  require(written.size() <= (1 + bytes.size() / 9) * 128 * 1024);
  read_frames(written, seen);
  return seen;
}

void check_connection(std::string_view bytes) {
  const conversation whole = serve(bytes, std::max<std::size_t>(bytes.size(), 1));
  const conversation pieces = serve(bytes, 7);
  if (whole.end != errc::connection_lost || pieces.end != errc::connection_lost) return;
  const asked what = look(bytes);
  if (what.deadline) return;
  for (const auto& [stream, data] : whole.data) {
    const auto other = pieces.data.find(stream);
    if (other != pieces.data.end() && !what.files.contains(stream)) require(other->second == data);
  }
}

// Calls, each a byte that says which and how, a byte of length, and the bytes of a message. What is
// answered, by stream.
std::map<h2::stream_id, std::string> call(std::string_view records, std::size_t cut) {
  grpc::caller client(offered_late());
  std::set<h2::stream_id> of_files;
  h2::stream_id last = 0;
  client.run();
  while (records.size() >= 2) {
    const auto how = static_cast<unsigned char>(records[0]);
    const std::string_view message = records.substr(2, static_cast<unsigned char>(records[1]));
    records.remove_prefix(2 + message.size());
    const std::string_view path = paths[(how & 7) % paths.size()];
    if ((how & 8) == 0 || last == 0) {
      h2::fields extra{{"dir-name", "context"}};
      if (path == diff_copy && (how & 64) != 0) extra.emplace_back("followpaths", "link");
      last = client.begin(std::string(path), extra);
      if (path == diff_copy) of_files.insert(last);
    }
    if ((how & 16) != 0)
      client.send_raw(last, message);
    else
      client.send(last, message);
    if ((how & 32) != 0) client.finish(last);
    client.talk(cut);
  }
  client.wire->end();
  client.talk();
  require(client.outcome.has_value() && !client.broken);
  std::map<h2::stream_id, std::string> answers;
  for (const auto& [stream, answer] : client.answers) {
    for (const auto& message : answer.messages) {
      packet read;
      if (of_files.contains(stream)) require(read_packet(message, read));
    }
    if (of_files.contains(stream)) continue;
    std::string& text = answers[stream];
    for (const auto& message : answer.messages) text += message + '\n';
    text += answer.status + '\n' + answer.headers;
  }
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: check_message(text); break;
    case 1: check_metadata(text); break;
    case 2: check_connection(text); break;
    case 3: {
      const std::string opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
      check_connection(opening + std::string(text));
      break;
    }
    default: require(call(text, std::string::npos) == call(text, 3)); break;
  }
  return 0;
}
