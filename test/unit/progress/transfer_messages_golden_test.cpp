// Answers of real engines to a push, pull, load or import, recorded byte for byte, against listings that were
// read by eye. To renew a listing: set DOCKLINE_RENEW_GOLDEN=1, run, and read the difference.

#include "support/test_data.hpp"
#include "support/transfer_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dockline::progress {
namespace {

// The operation is the beginning of the file's name.
transfer kind_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (name.starts_with("push")) return transfer::push;
  if (name.starts_with("pull")) return transfer::pull;
  return name.starts_with("load") ? transfer::load : transfer::import;
}

}  // namespace

TEST_SUITE("progress/transfer_messages_golden") {
  TEST_CASE("recorded answers give the events and the outcome of their listing, however they are cut") {
    const auto found = recordings("transfers");
    CHECK(found.size() >= 55);
    for (const auto& path : found) {
      CAPTURE(path.filename().string());
      const std::string answer = read_file(path);
      const std::string listing = decode_transfer(kind_of(path), answer).listing;
      auto golden = path;
      golden.replace_extension(".events");
      if (std::getenv("DOCKLINE_RENEW_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << listing;
      CHECK(listing == read_file(golden));
      for (const std::size_t chunk : {1U, 7U, 100U, 1000U})
        CHECK(decode_transfer(kind_of(path), answer, chunk).listing == listing);
    }
  }

  TEST_CASE("an answer that stops before its outcome is never a success") {
    std::size_t cuts = 0;
    for (const auto& path : recordings("transfers")) {
      CAPTURE(path.filename().string());
      const std::string answer = read_file(path);
      // dockerd's outcome. podman's pull ends with a message that it may send of a layer before.
      std::size_t end = std::string::npos;
      for (const auto* mark :
           {": digest: ", "{\"status\":\"Status: ", "{\"stream\":\"Loaded", "{\"errorDetail\""})
        end = std::min(end, answer.find(mark));
      if (end == std::string::npos) continue;
      for (std::size_t size = 0; size <= end; size += 1 + size / 64) {
        REQUIRE(decode_transfer(kind_of(path), std::string_view(answer).substr(0, size)).code);
        ++cuts;
      }
    }
    CHECK(cuts > 1000);
  }
}

}  // namespace dockline::progress
