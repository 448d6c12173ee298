#include "buildkit/file_receiver.hpp"

#include "support/test_data.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dockline::buildkit {
namespace {

namespace fs = std::filesystem;

file_stat stat_of(std::string path, std::uint32_t mode = 0644, std::string link = {}) {
  file_stat stat;
  stat.path = std::move(path);
  stat.mode = mode;
  stat.link = std::move(link);
  stat.modified = 1'234'567'890'000'000'005;
  return stat;
}

// The sending side.
struct sender {
  explicit sender(const std::string& directory) : receiver(directory) { REQUIRE_FALSE(receiver.open(why)); }

  // The code, if it is refused.
  error_code say(const std::string& message) {
    message_batch answers;
    const auto left = receiver.take(message, answers, why);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      packet read;
      REQUIRE(read_packet(answers[i], read));
      if (read.type == packet_type::fin)
        fin = true;
      else
        asked.push_back(read.id);
    }
    over = left && *left == file_receiver::state::over;
    return left ? error_code() : left.error();
  }
  error_code tell(const file_stat& stat) {
    std::string message;
    append_stat(message, &stat);
    return say(message);
  }
  error_code end() { return say({}); }
  error_code data(std::uint32_t id, std::string_view bytes) {
    std::string message;
    append_data_head(message, id, bytes.size());
    return say(message.append(bytes));
  }
  error_code finish() {
    std::string message;
    append_fin(message);
    return say(message);
  }

  diagnostics why;
  file_receiver receiver;
  std::vector<std::uint32_t> asked;
  bool fin = false;
  bool over = false;
};

}  // namespace

TEST_SUITE("buildkit/file_receiver") {
  TEST_CASE("a tree is written, each file once it is whole") {
    const archive::scratch_tree tree;
    tree.file("out/d/old", "stays");
    tree.file("out/d/f", "is replaced");
    tree.file("out/gone", "is replaced by a directory");
    const std::string out = tree.path("out");
    sender other(out);
    CHECK_FALSE(other.tell(stat_of("d", go_mode::directory | 0755)));
    CHECK_FALSE(other.tell(stat_of("d/f", 0640)));
    CHECK(other.asked == std::vector<std::uint32_t>{1});
    CHECK_FALSE(other.tell(stat_of("d/g", go_mode::set_user_id | 0755)));
    CHECK_FALSE(other.tell(stat_of("d/hard", 0640, "d/f")));
    CHECK_FALSE(other.tell(stat_of("d/link", go_mode::symlink | 0777, "/etc/passwd")));
    CHECK_FALSE(other.tell(stat_of("fifo", go_mode::named_pipe | 0600)));
    CHECK_FALSE(other.tell(stat_of("gone", go_mode::directory | 0500)));
    CHECK_FALSE(other.tell(stat_of("gone/x", 0600)));
    CHECK_FALSE(other.tell(stat_of("null", go_mode::device | go_mode::character_device | 0666)));
    CHECK_FALSE(other.end());
    CHECK(other.asked == std::vector<std::uint32_t>{1, 2, 7});
    CHECK_FALSE(other.data(1, "new "));
    CHECK_FALSE(other.data(2, "prog"));
    CHECK_FALSE(other.data(1, "text"));
    CHECK(read_file(out + "/d/f") == "is replaced");
    CHECK_FALSE(other.data(1, ""));
    CHECK(read_file(out + "/d/f") == "new text");
    CHECK_FALSE(other.data(2, ""));
    CHECK_FALSE(other.fin);
    CHECK_FALSE(other.data(7, ""));
    CHECK(other.fin);
    CHECK_FALSE(other.over);
    CHECK_FALSE(other.finish());
    CHECK(other.over);

    CHECK(read_file(out + "/d/old") == "stays");
    CHECK(read_file(out + "/d/hard") == "new text");
    CHECK(fs::hard_link_count(out + "/d/f") == 2);
    CHECK(fs::read_symlink(out + "/d/link") == "/etc/passwd");
    CHECK(fs::is_fifo(out + "/fifo"));
    CHECK(fs::is_empty(out + "/gone/x"));
    CHECK_FALSE(fs::exists(out + "/null"));
    CHECK(other.receiver.take_warnings() == std::vector<std::string>{"null was skipped: it is a device"});
    struct stat status {};
    REQUIRE(::stat((out + "/d/f").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0640);
    CHECK(status.st_mtim.tv_sec == 1'234'567'890);
    CHECK(status.st_mtim.tv_nsec == 5);
    REQUIRE(::stat((out + "/d/g").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 04755);
    REQUIRE(::stat((out + "/gone").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0500);
    CHECK(status.st_mtim.tv_sec == 1'234'567'890);
    ::chmod((out + "/gone").c_str(), 0700);
  }

  TEST_CASE("no path leads out of the directory, and nothing comes twice or out of order") {
    const char* const bad[] = {"",     "/etc/x", "..",        "../x", "a/../../x", "a/../b",      "./a",
                               "a//b", "a/",     "nowhere/x", "a/b",  ".",         "d/../../../x"};
    for (const char* path : bad) {
      CAPTURE(path);
      const archive::scratch_tree tree;
      sender other(tree.path("out"));
      const bool absent_parent = std::string(path) == "a/b";
      if (!absent_parent) CHECK_FALSE(other.tell(stat_of("Z", go_mode::directory | 0755)));
      file_stat stat = stat_of(path);
      if (stat.path.empty()) stat.uid = 1;  // or it would be no description at all
      CHECK(other.tell(stat) == errc::malformed_message);
      CHECK(other.why.client_message().find("the result of the build holds") == 0);
    }
    const archive::scratch_tree tree;
    {
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("b")));
      CHECK(other.tell(stat_of("a")) == errc::malformed_message);
    }
    {
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("a")));
      CHECK(other.tell(stat_of("a")) == errc::malformed_message);
    }
    {
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("a")));
      CHECK(other.tell(stat_of("a/x")) == errc::malformed_message);
    }
    {
      sender other(tree.path("out"));
      CHECK(other.tell(stat_of("hard", 0644, "../../etc/passwd")) == errc::malformed_message);
    }
  }

  TEST_CASE("no symbolic link is followed, neither one that came nor one that was there") {
    const archive::scratch_tree tree;
    tree.directory("outside");
    tree.directory("out");
    tree.symlink("out/was", tree.path("outside"));
    tree.file("outside/target", "untouched");
    tree.symlink("out/file", tree.path("outside/target"));
    {
      // It is replaced by what the result has of that name.
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("file")));
      CHECK_FALSE(other.tell(stat_of("was", go_mode::directory | 0755)));
      CHECK_FALSE(other.tell(stat_of("was/x")));
      CHECK_FALSE(other.end());
      CHECK_FALSE(other.data(0, "mine"));
      CHECK_FALSE(other.data(0, ""));
      CHECK_FALSE(other.data(2, ""));
      CHECK(other.fin);
      CHECK(read_file(tree.path("outside/target")) == "untouched");
      CHECK(read_file(tree.path("out/file")) == "mine");
      CHECK_FALSE(fs::exists(tree.path("outside/x")));
      CHECK(fs::is_regular_file(tree.path("out/was/x")));
    }
    {
      sender other(tree.path("other"));
      CHECK_FALSE(other.tell(stat_of("l", go_mode::symlink | 0777, tree.path("outside"))));
      CHECK(other.tell(stat_of("l/x")) == errc::malformed_message);
    }
    {
      // The tree changes under the transfer.
      sender other(tree.path("third"));
      CHECK_FALSE(other.tell(stat_of("d", go_mode::directory | 0755)));
      fs::remove(tree.path("third/d"));
      tree.symlink("third/d", tree.path("outside"));
      CHECK(other.tell(stat_of("d/x")) == errc::cannot_write);
      CHECK_FALSE(fs::exists(tree.path("outside/x")));
    }
  }

  TEST_CASE("what was there gives way to what is of another kind, and nothing outside of it") {
    const archive::scratch_tree tree;
    tree.file("outside/kept", "untouched");
    for (const char* name : {"file", "link", "pipe", "twin"}) {
      const std::string place = std::string("out/") + name;
      tree.file(place + "/deep/er/old", "old");
      tree.symlink(place + "/deep/way out", tree.path("outside"));
    }
    tree.file("out/directory", "a file");
    tree.file("out/stays/old", "old");
    {
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("directory", go_mode::directory | 0755)));
      CHECK_FALSE(other.tell(stat_of("directory/new")));
      CHECK_FALSE(other.tell(stat_of("file")));
      CHECK_FALSE(other.tell(stat_of("link", go_mode::symlink | 0777, "file")));
      CHECK_FALSE(other.tell(stat_of("pipe", go_mode::named_pipe | 0644)));
      CHECK_FALSE(other.tell(stat_of("stays", go_mode::directory | 0755)));
      CHECK_FALSE(other.tell(stat_of("twin", 0644, "file")));
      CHECK_FALSE(other.end());
      CHECK_FALSE(other.data(2, "half"));
      // Not before the file is whole.
      CHECK(fs::is_directory(tree.path("out/file/deep/er")));
      CHECK_FALSE(other.data(1, ""));
      CHECK_FALSE(other.data(2, ""));
      CHECK(other.fin);
    }
    CHECK(read_file(tree.path("out/file")) == "half");
    CHECK(fs::read_symlink(tree.path("out/link")) == "file");
    CHECK(fs::is_fifo(tree.path("out/pipe")));
    CHECK(fs::hard_link_count(tree.path("out/twin")) == 2);
    CHECK(fs::is_regular_file(tree.path("out/directory/new")));
    CHECK(read_file(tree.path("out/stays/old")) == "old");
    CHECK(read_file(tree.path("outside/kept")) == "untouched");
  }

  TEST_CASE("a transfer that ends early leaves no half of a file") {
    const archive::scratch_tree tree;
    {
      sender other(tree.path("out"));
      CHECK_FALSE(other.tell(stat_of("a")));
      CHECK_FALSE(other.data(0, "half"));
    }
    CHECK(fs::is_empty(tree.path("out")));
  }

  TEST_CASE("at most some files are open at once") {
    const archive::scratch_tree tree;
    sender other(tree.path("out"));
    for (int i = 0; i < 50; ++i) CHECK_FALSE(other.tell(stat_of("f" + std::to_string(100 + i))));
    CHECK(other.asked.size() == 8);
    CHECK_FALSE(other.end());
    for (std::size_t i = 0; i < 50; ++i) {
      REQUIRE(other.asked.size() > i);
      CHECK_FALSE(other.data(other.asked[i], ""));
    }
    CHECK(other.asked.size() == 50);
    CHECK(other.fin);
    CHECK(other.receiver.files() == 50);
  }

  TEST_CASE("what makes no sense is refused") {
    const archive::scratch_tree tree;
    sender other(tree.path("out"));
    CHECK(other.say("\xff") == errc::malformed_message);
    CHECK(other.data(3, "x") == errc::malformed_message);
    CHECK(other.finish() == errc::malformed_message);
    std::string message;
    append_request(message, 1);
    CHECK(other.say(message) == errc::malformed_message);
    message.clear();
    append_error(message, "disk full");
    CHECK(other.say(message) == errc::operation_failed);
    CHECK(other.why.server_message() == "disk full");
    CHECK_FALSE(other.end());
    CHECK(other.tell(stat_of("a")) == errc::malformed_message);
    CHECK(other.end() == errc::malformed_message);
  }

  TEST_CASE("a directory that cannot be one is named") {
    const archive::scratch_tree tree;
    tree.file("f", "");
    diagnostics why;
    file_receiver receiver(tree.path("f/out"));
    CHECK(receiver.open(why) == errc::cannot_write);
    CHECK(why.client_message() == tree.path("f/out") + ": Not a directory");
    file_receiver file(tree.path("f"));
    CHECK(file.open(why) == errc::cannot_write);
  }
}

}  // namespace dockline::buildkit
