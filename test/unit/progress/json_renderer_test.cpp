#include "dockline/progress/json_renderer.hpp"

#include "core/json.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dockline::progress {

using namespace std::chrono_literals;

TEST_SUITE("progress/json_renderer") {
  TEST_CASE("each event is one line, with its name and its fields") {
    const std::string start = "{\"time\":\"1970-01-01T00:00:01.000000002Z\",\"event\":\"";
    const std::pair<event_body, std::string_view> rows[] = {
        {context_progress{3, 2048, 1000, true},
         R"(context_progress","entries":3,"bytes":2048,"bytes_sent":1000,"complete":true})"},
        {step_started{2, 7, "RUN echo \"a\""},
         R"(step_started","index":2,"total":7,"name":"RUN echo \"a\""})"},
        {step_cached{2}, R"(step_cached","index":2})"},
        {step_finished{2}, R"(step_finished","index":2})"},
        {step_failed{2, 7, "no"}, R"(step_failed","index":2,"exit_code":7,"reason":"no"})"},
        {step_failed{2, 7, "no", false, "last\n", "Dockerfile", 3, 4, "3 | RUN\n"},
         R"(step_failed","index":2,"exit_code":7,"reason":"no","log_tail":"last\n","file":"Dockerfile",)"
         R"("first_line":3,"last_line":4,"excerpt":"3 | RUN\n"})"},
        {step_failed{2, std::nullopt, "no"}, R"(step_failed","index":2,"exit_code":null,"reason":"no"})"},
        {step_log{2, output_stream::out, "a\n\x1b[0m"},
         R"(step_log","index":2,"stream":"stdout","bytes":"a\n\u001B[0m"})"},
        {step_log{0, output_stream::err, "caf\xc3\xa9"},
         "step_log\",\"index\":0,\"stream\":\"stderr\",\"bytes\":\"caf\xc3\xa9\"}"},
        {step_log{2, output_stream::out, "a\xff"},
         "step_log\",\"index\":2,\"stream\":\"stdout\",\"bytes\":\"a\xef\xbf\xbd\",\"bytes_base64\":\"Yf8="
         "\"}"},
        {layer_progress{"abc", "Downloading", 5, 4},
         R"(layer_progress","id":"abc","status":"Downloading","current":5,"total":4,"phase":"none"})"},
        {layer_progress{"abc", "Mounted from a", 0, 0, layer_phase::mounted},
         R"(layer_progress","id":"abc","status":"Mounted from a","current":0,"total":0,"phase":"mounted"})"},
        {transfer_finished{"v1", "sha256:1", 527},
         R"(transfer_finished","tag":"v1","digest":"sha256:1","size":527})"},
        {warning{"look\nout"}, R"(warning","text":"look\nout"})"},
        {image_built{"sha256:1"}, R"(image_built","id":"sha256:1"})"},
        {image_tagged{"app:1"}, R"(image_tagged","reference":"app:1"})"},
        {image_loaded{"a:1"}, R"(image_loaded","reference":"a:1"})"}};
    std::vector<std::string> lines;
    json_renderer renderer([&](std::string_view line) { lines.emplace_back(line); });
    std::vector<std::string> expected;
    for (const auto& [body, rest] : rows) {
      renderer.show({event_time(1s + 2ns), body});
      expected.push_back(start + std::string(rest) + '\n');
    }
    REQUIRE(lines.size() == expected.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CHECK(lines[i] == expected[i]);
      CHECK(json::parse(lines[i]).has_value());
      CHECK(lines[i].find('\n') == lines[i].size() - 1);
    }
  }
}

}  // namespace dockline::progress
