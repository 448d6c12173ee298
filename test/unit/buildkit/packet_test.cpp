#include "buildkit/packet.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::buildkit {
namespace {

std::string stat_message(const file_stat& stat) {
  std::string message;
  append_stat(message, &stat);
  return message;
}

}  // namespace

TEST_SUITE("buildkit/packet") {
  TEST_CASE("a description has fsutil's fields, and what is zero is not sent") {
    file_stat stat;
    stat.path = "a/b";
    stat.mode = 0644;
    stat.size = 300;
    stat.modified = 1;
    // Packet{stat = 2: Stat{path = 1, mode = 2, size = 5, modTime = 6}}
    CHECK(stat_message(stat) == std::string("\x12\x0d\x0a\x03"
                                            "a/b\x10\xa4\x03\x28\xac\x02\x30\x01"));
    std::string end;
    append_stat(end, nullptr);
    CHECK(end.empty());
  }

  TEST_CASE("what is written is read") {
    file_stat stat;
    stat.path = "dev/null";
    stat.mode = go_mode::device | go_mode::character_device | 0666;
    stat.uid = 1;
    stat.gid = 0xFFFFFFFF;
    stat.size = -1;
    stat.modified = -5'000'000'000;
    stat.link = "x";
    stat.device_major = 1;
    stat.device_minor = 3;
    stat.attributes.emplace_back("user.a", std::string("\0\xff", 2));
    stat.attributes.emplace_back("user.b", "");
    packet read;
    REQUIRE(read_packet(stat_message(stat), read));
    CHECK(read.type == packet_type::stat);
    REQUIRE(read.has_stat);
    CHECK(read.stat.path == stat.path);
    CHECK(read.stat.mode == stat.mode);
    CHECK(read.stat.uid == 1);
    CHECK(read.stat.gid == 0xFFFFFFFF);
    CHECK(read.stat.size == -1);
    CHECK(read.stat.modified == -5'000'000'000);
    CHECK(read.stat.link == "x");
    CHECK(read.stat.device_major == 1);
    CHECK(read.stat.device_minor == 3);
    CHECK(read.stat.attributes == stat.attributes);

    std::string message;
    append_request(message, 70'000);
    REQUIRE(read_packet(message, read));
    CHECK(read.type == packet_type::request);
    CHECK(read.id == 70'000);
    CHECK_FALSE(read.has_stat);

    message.clear();
    append_fin(message);
    CHECK(message == "\x08\x03");
    REQUIRE(read_packet(message, read));
    CHECK(read.type == packet_type::fin);

    message.clear();
    append_error(message, "no");
    REQUIRE(read_packet(message, read));
    CHECK(read.type == packet_type::error);
    CHECK(read.data == "no");

    message.clear();
    append_data_head(message, 7, 200);
    message += std::string(200, 'x');
    REQUIRE(read_packet(message, read));
    CHECK(read.type == packet_type::data);
    CHECK(read.id == 7);
    CHECK(read.data == std::string(200, 'x'));

    message.clear();
    append_data_head(message, 0, 0);
    CHECK(message == "\x08\x02");
    REQUIRE(read_packet(message, read));
    CHECK(read.type == packet_type::data);
    CHECK(read.data.empty());
  }

  TEST_CASE("no cut message is read beyond its end, and no field that is cut counts") {
    file_stat stat;
    stat.path = "some/path";
    stat.attributes.emplace_back("user.a", "value");
    const std::string whole = stat_message(stat);
    packet read;
    CHECK(read_packet({}, read));
    for (std::size_t size = 1; size < whole.size(); ++size)
      CHECK_FALSE(read_packet(std::string_view(whole).substr(0, size), read));
  }

  TEST_CASE("what no file system has is refused, what is not known is passed over") {
    packet read;
    CHECK_FALSE(read_packet("\x08\x05", read));                               // a type that is none
    CHECK_FALSE(read_packet(std::string("\x08\xff\xff\xff\xff\x0f"), read));  // -1
    CHECK(read_packet("\x2a\x01z\x08\x03", read));                            // field 5
    CHECK(read.type == packet_type::fin);
    CHECK(read_packet(std::string("\x18\x01\x1a\x01z"), read));  // an id that is text
    CHECK(read.id == 1);
    file_stat stat;
    stat.path = std::string(65 * 1024, 'p');
    CHECK_FALSE(read_packet(stat_message(stat), read));
    stat.path = "p";
    stat.link = std::string(65 * 1024, 'p');
    CHECK_FALSE(read_packet(stat_message(stat), read));
    stat.link.clear();
    for (int i = 0; i < 257; ++i) stat.attributes.emplace_back("user." + std::to_string(i), "");
    CHECK_FALSE(read_packet(stat_message(stat), read));
    stat.attributes.assign(2, {"user.big", std::string(600 * 1024, 'v')});
    CHECK_FALSE(read_packet(stat_message(stat), read));
  }

  TEST_CASE("a piece of an archive") {
    std::string_view data;
    REQUIRE(read_bytes_message("\x0a\x03tar", data));
    CHECK(data == "tar");
    REQUIRE(read_bytes_message("", data));
    CHECK(data.empty());
    CHECK_FALSE(read_bytes_message("\x0a\x04tar", data));
  }
}

}  // namespace dockline::buildkit
