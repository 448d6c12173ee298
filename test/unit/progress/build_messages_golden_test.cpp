// Answers of real engines, recorded byte for byte, against listings that were read by eye. To renew a
// listing: set DOCKLINE_RENEW_GOLDEN=1, run, and read the difference.

#include "support/build_stream.hpp"
#include "support/test_data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dockline::progress {

TEST_SUITE("progress/build_messages_golden") {
  TEST_CASE("recorded answers give the events and the outcome of their listing, however they are cut") {
    const auto found = recordings("streams");
    CHECK(found.size() >= 30);
    for (const auto& path : found) {
      CAPTURE(path.filename().string());
      const std::string answer = read_file(path);
      const std::string listing = decode_build(answer).listing;
      auto golden = path;
      golden.replace_extension(".events");
      if (std::getenv("DOCKLINE_RENEW_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << listing;
      CHECK(listing == read_file(golden));
      for (const std::size_t chunk : {1U, 7U, 100U, 1000U})
        CHECK(decode_build(answer, chunk).listing == listing);
    }
  }

  TEST_CASE("an answer that stops anywhere before its outcome is never a success") {
    std::size_t cuts = 0;
    for (const auto& path : recordings("streams")) {
      CAPTURE(path.filename().string());
      const std::string answer = read_file(path);
      // The last message that tells an image, or the error. podman tells the id in a line before, too.
      std::size_t end = 0;
      for (const auto* mark : {"{\"aux\":{\"ID\"", "{\"id\":\"moby.image.id\"", "{\"errorDetail\""})
        if (const auto at = answer.rfind(mark); at != std::string::npos) end = std::max(end, at);
      if (path.filename().string().find("podman") != std::string::npos)
        end = answer.rfind("{\"stream\":\"STEP");
      if (end == std::string::npos) continue;
      for (std::size_t size = 0; size <= end; size += 1 + size / 64) {
        REQUIRE(decode_build(std::string_view(answer).substr(0, size)).code);
        ++cuts;
      }
    }
    CHECK(cuts > 1000);
  }
}

}  // namespace dockline::progress
