// How fast the answer of a build is decoded: bytes of the daemon's messages, in chunks as they come from a
// socket, through json_lines and build_messages to a sink that looks at every event. One core. Prints a row
// for each kind of answer: the whole way, the cutting alone, and, for comparison in the same run, RapidJSON
// parsing the same messages into a document each. The bar is 500 MB/s (10^6 bytes).
//
//     meson setup build-release --buildtype=release && ninja -C build-release test/bench/message_decoding
//     build-release/test/bench/message_decoding [MEGABYTES]

#include "core/json.hpp"
#include "http/json_lines.hpp"
#include "progress/build_messages.hpp"

#include <rapidjson/document.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace {

using namespace dockline;

constexpr std::size_t chunk_size = 64 * 1024;

std::string stream_message(std::string_view text) {
  return json::writer().begin_object().key("stream").string(text).end_object().take() + "\r\n";
}

// A line as compilers and package managers print them.
std::string log_line(std::mt19937& random) {
  static constexpr std::string_view words[] = {"Get:17 ",
                                               "http://packages.example/debian ",
                                               "bookworm/main ",
                                               "amd64 ",
                                               "libstdc++6 ",
                                               "[613 kB] ",
                                               "Unpacking ",
                                               "(12.2.0-14+deb12u1) ",
                                               "... ",
                                               "cc ",
                                               "-O2 ",
                                               "-o ",
                                               "\"build/app.o\" ",
                                               "\t",
                                               "100% "};
  std::string line;
  for (auto count = 3 + random() % 9; count != 0; --count) line += words[random() % std::size(words)];
  return line + '\n';
}

struct corpus {
  const char* name;
  std::string answer;
};

std::string run_of_a_step() {
  return stream_message("Step 2/2 : RUN make") + stream_message("\n") +
         stream_message(" ---> Running in 0123456789ab\n");
}

std::vector<corpus> corpora(std::size_t size) {
  std::mt19937 random(1);
  corpus lines{"a line a message", run_of_a_step()};
  while (lines.answer.size() < size) lines.answer += stream_message(log_line(random));
  corpus blocks{"blocks of 4 kB of lines", run_of_a_step()};
  while (blocks.answer.size() < size) {
    std::string text;
    while (text.size() < 4000) text += log_line(random);
    blocks.answer += stream_message(text);
  }
  corpus errors{"lines of stderr", run_of_a_step()};
  while (errors.answer.size() < size)
    errors.answer += stream_message("\x1b[91m" + log_line(random) + "\x1b[0m");
  corpus layers{"layers of a pull", stream_message("Step 1/1 : FROM debian:12\n")};
  while (layers.answer.size() < size) {
    const auto done = random() % 50'000'000;
    layers.answer += "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":" + std::to_string(done) +
                     ",\"total\":50000000},\"progress\":\"[=====================\\u003e"
                     "                             ]  " +
                     std::to_string(done / 1000) + "kB/50MB\",\"id\":\"914c1c718965\"}\r\n";
  }
  corpus mixed{"a build: 8 lines, 1 error, 1 layer", run_of_a_step()};
  const auto next_line = [](std::string_view from, std::size_t& at) {
    const std::size_t end = from.find('\n', at) + 1;
    const auto line = from.substr(at, end - at);
    at = end < from.size() ? end : 0;
    return line;
  };
  std::size_t line = run_of_a_step().size();
  std::size_t error = line;
  std::size_t layer = 0;
  while (mixed.answer.size() < size) {
    for (int i = 0; i < 8; ++i) mixed.answer += next_line(lines.answer, line);
    mixed.answer += next_line(errors.answer, error);
    mixed.answer += next_line(layers.answer, layer);
  }
  return {std::move(lines), std::move(blocks), std::move(errors), std::move(layers), std::move(mixed)};
}

template <class Use>
void cut(std::string_view answer, Use use) {
  http::json_lines lines;
  for (std::size_t at = 0; at < answer.size(); at += chunk_size) {
    lines.feed(answer.substr(at, chunk_size));
    for (;;) {
      const auto message = lines.next();
      if (!message) std::exit(1);
      if (!*message) break;
      use(**message);
    }
  }
}

// The best of nine runs, in 10^6 bytes a second of one core's time.
template <class Run>
double rate(std::string_view answer, Run run) {
  double best = 0;
  for (int round = 0; round < 9; ++round) {
    const std::clock_t start = std::clock();
    run(answer);
    const double time = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    best = std::max(best, static_cast<double>(answer.size()) / 1e6 / time);
  }
  return best;
}

std::uint64_t seen = 0;  // printed, so that no work is left out

void decode(std::string_view answer) {
  progress::build_messages messages([](const progress::event& what) {
    if (const auto* log = std::get_if<progress::step_log>(&what.body)) seen += log->bytes.size();
    if (const auto* layer = std::get_if<progress::layer_progress>(&what.body)) seen += layer->current;
  });
  const auto now = std::chrono::system_clock::now();
  cut(answer, [&](std::string_view message) {
    if (messages.add(message, now)) std::exit(1);
  });
}

void cut_only(std::string_view answer) {
  cut(answer, [](std::string_view message) { seen += message.size(); });
}

void parse_each(std::string_view answer) {
  cut(answer, [](std::string_view message) {
    rapidjson::Document document;
    document.Parse(message.data(), message.size());
    if (document.HasMember("stream")) seen += document["stream"].GetStringLength();
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  std::printf("%-36s %14s %14s %20s %8s\n", "answer", "decoded MB/s", "cut only MB/s", "cut + RapidJSON MB/s",
              "ratio");
  for (const auto& [name, answer] : corpora(megabytes * 1'000'000)) {
    const double decoded = rate(answer, decode);
    const double alone = rate(answer, cut_only);
    const double parsed = rate(answer, parse_each);
    std::printf("%-36s %14.0f %14.0f %20.0f %8.2f\n", name, decoded, alone, parsed, decoded / parsed);
  }
  std::printf("(%llu)\n", static_cast<unsigned long long>(seen));
}
