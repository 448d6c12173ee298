#include "buildkit/file_sender.hpp"

#include "unit/archive/memory_disk.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {
namespace {

using archive::file_kind;
using archive::memory_disk;

std::shared_ptr<file_source> source_of(const archive::disk& files, std::string_view rules = {}) {
  auto source = std::make_shared<file_source>();
  source->files = &files;
  diagnostics why;
  source->plan.rules = *archive::ignore_rules::parse(rules, ".dockerignore", why);
  source->plan.ignore_file = ".dockerignore";
  return source;
}

// The other side: takes messages, asks for what it wants to have.
class receiver {
 public:
  explicit receiver(std::shared_ptr<const file_source> from, file_request wanted = {})
      : sender(std::move(from), std::move(wanted)) {}

  // Until there is nothing more without another request, or an error.
  file_sender::state pump() {
    for (;;) {
      message_batch batch;
      const auto left = sender.fill(batch, why);
      for (std::size_t i = 0; i < batch.size(); ++i) take(batch[i]);
      if (!left) {
        code = left.error();
        return file_sender::state::over;
      }
      if (*left != file_sender::state::more) return *left;
    }
  }

  void ask(std::uint32_t id) {
    std::string message;
    append_request(message, id);
    REQUIRE_FALSE(sender.take(message, why));
  }
  void ask(std::string_view path) {
    for (std::uint32_t id = 0; id < stats.size(); ++id)
      if (stats[id].path == path) return ask(id);
    FAIL("not sent: " << path);
  }
  void fin() {
    std::string message;
    append_fin(message);
    REQUIRE_FALSE(sender.take(message, why));
  }

  std::string paths() const {
    std::string all;
    for (const auto& stat : stats) all += stat.path + "\n";
    return all;
  }
  const file_stat& stat(std::string_view path) const {
    const auto found =
        std::find_if(stats.begin(), stats.end(), [&](const auto& one) { return one.path == path; });
    REQUIRE_MESSAGE(found != stats.end(), path);
    return *found;
  }

  file_sender sender;
  std::vector<file_stat> stats;
  bool listed = false;
  std::map<std::uint32_t, std::string> content;
  std::vector<std::uint32_t> ended;
  bool finished = false;
  error_code code;
  diagnostics why;

 private:
  void take(std::string_view message) {
    packet read;
    REQUIRE(read_packet(message, read));
    CHECK_FALSE(finished);
    switch (read.type) {
      case packet_type::stat:
        CHECK_FALSE(listed);
        if (read.has_stat)
          stats.push_back(read.stat);
        else
          listed = true;
        break;
      case packet_type::data:
        if (read.data.empty())
          ended.push_back(read.id);
        else
          content[read.id] += read.data;
        break;
      case packet_type::fin: finished = true; break;
      case packet_type::request:
      case packet_type::error: FAIL("not for a sender to say");
    }
  }
};

file_request including(std::vector<std::string> patterns) {
  file_request wanted;
  wanted.include = std::move(patterns);
  return wanted;
}

}  // namespace

TEST_SUITE("buildkit/file_sender") {
  TEST_CASE("all is told of, only what is asked for is opened, and the end is agreed upon") {
    memory_disk files;
    files.file("a/b", "text of b");
    files.file("a/big", std::string(300'000, 'x'));
    files.file("a-b", "no");
    files.file("a.txt", "");
    std::vector<std::string> opened;
    files.fault = [&](std::string_view what, const std::string& path) {
      if (what == "open") opened.push_back(path);
      return 0;
    };
    receiver other(source_of(files));
    CHECK(other.pump() == file_sender::state::idle);
    // By components: what lies in "a" comes before "a-b".
    CHECK(other.paths() == "a\na/b\na/big\na-b\na.txt\n");
    CHECK(other.listed);
    CHECK(opened.empty());
    CHECK(other.stat("a").mode == (go_mode::directory | 0755));
    CHECK(other.stat("a").size == 0);
    CHECK(other.stat("a/b").mode == 0644);
    CHECK(other.stat("a/b").size == 9);

    other.ask("a/big");
    other.ask("a.txt");
    other.ask("a/b");
    CHECK(other.pump() == file_sender::state::idle);
    CHECK(opened == std::vector<std::string>{"a/big", "a.txt", "a/b"});
    CHECK(other.content[2] == std::string(300'000, 'x'));
    CHECK(other.content[1] == "text of b");
    CHECK(other.content.count(4) == 0);
    CHECK(other.ended == std::vector<std::uint32_t>{2, 4, 1});
    CHECK(other.sender.sent().entries == 5);
    CHECK(other.sender.sent().bytes == 300'009);

    other.fin();
    CHECK(other.pump() == file_sender::state::over);
    CHECK(other.finished);
    CHECK(files.open_handles <= 1);  // the directory of the last file, until the sender is gone
  }

  TEST_CASE("contents are sent while a long list goes on") {
    memory_disk files;
    for (int i = 0; i < 10'000; ++i) files.file("file-number-" + std::to_string(i), "x");
    receiver other(source_of(files));
    message_batch batch;
    REQUIRE(*other.sender.fill(batch, other.why) == file_sender::state::more);
    CHECK(batch.bytes.size() < 100'000);
    CHECK(batch.size() < 5'000);
    std::string request;
    append_request(request, 3);
    REQUIRE_FALSE(other.sender.take(request, other.why));
    batch.clear();
    REQUIRE(*other.sender.fill(batch, other.why) == file_sender::state::more);
    packet read;
    REQUIRE(read_packet(batch[batch.size() - 2], read));
    CHECK(read.type == packet_type::data);
    CHECK(read.id == 3);
    CHECK(read.data == "x");
  }

  TEST_CASE("each kind of file, in Go's bits") {
    memory_disk files;
    files.file("setuid", "x", 04755);
    files.file("sticky", "x", 01644);
    files.other("link", file_kind::symlink, "a/target").attributes.mode = 0777;
    files.other("fifo", file_kind::fifo).attributes.mode = 02600;
    auto& device = files.other("null", file_kind::character_device);
    device.attributes.mode = 0666;
    device.attributes.major = 1;
    device.attributes.minor = 3;
    files.other("disk", file_kind::block_device).attributes.major = 8;
    files.other("socket", file_kind::socket);
    for (const char* name : {"one", "two"}) {
      auto& node = files.file(name, "same");
      node.attributes.inode = 77;
      node.attributes.links = 2;
    }
    for (const char* name : {"link-one", "link-two"}) {
      auto& node = files.other(name, file_kind::symlink, "there");
      node.attributes.inode = 78;
      node.attributes.links = 2;
    }
    files.file("attributes", "x").extended = {{"com.apple.x", "no"}, {"user.a", "yes"}};
    files.root.children["attributes"].attributes.mtime = -1;
    files.root.children["attributes"].attributes.mtime_nanoseconds = 999'999'999;
    files.root.children["attributes"].attributes.uid = 5;
    files.file("far-future", "x").attributes.mtime = std::int64_t{1} << 40;
    files.file("far-past", "x").attributes.mtime = -(std::int64_t{1} << 40);
    receiver other(source_of(files));
    CHECK(other.pump() == file_sender::state::idle);
    CHECK(other.stat("setuid").mode == (go_mode::set_user_id | 0755));
    CHECK(other.stat("sticky").mode == (go_mode::sticky | 0644));
    CHECK(other.stat("link").mode == (go_mode::symlink | 0777));
    CHECK(other.stat("link").link == "a/target");
    CHECK(other.stat("link").size == 8);
    CHECK(other.stat("fifo").mode == (go_mode::named_pipe | go_mode::set_group_id | 0600));
    CHECK(other.stat("null").mode == (go_mode::device | go_mode::character_device | 0666));
    CHECK(other.stat("null").device_major == 1);
    CHECK(other.stat("null").device_minor == 3);
    CHECK((other.stat("disk").mode & go_mode::type) == go_mode::device);
    CHECK(other.stat("one").link.empty());
    CHECK(other.stat("one").size == 4);
    CHECK(other.stat("two").link == "one");
    CHECK(other.stat("two").mode == 0644);
    // As fsutil's own description of such a file has it: else the daemon takes it for changed in each build.
    CHECK(other.stat("two").size == 4);
    CHECK(other.stat("link-two").link == "there");
    CHECK(other.stat("attributes").modified == -1);
    // The protocol's last second that is whole, of the year 2262, and its first, of 1677.
    CHECK(other.stat("far-future").modified == 9'223'372'035'000'000'000);
    CHECK(other.stat("far-past").modified == -9'223'372'035'000'000'000);
    CHECK(other.stat("attributes").uid == 0);
    REQUIRE(other.stat("attributes").attributes.size() == 1);
    CHECK(other.stat("attributes").attributes[0].first == "user.a");
    CHECK(other.sender.take_warnings() ==
          std::vector<std::string>{"socket was skipped: a socket cannot be sent"});
  }

  TEST_CASE("ownership and times are kept or not, as the packing has it") {
    memory_disk files;
    auto& node = files.file("f", "x", 0600);
    node.attributes.uid = 5;
    node.attributes.gid = 6;
    node.attributes.mtime = 9;
    auto source = source_of(files);
    source->rules.keep_ownership = true;
    source->rules.fixed_time = 3;
    receiver other(source);
    other.pump();
    CHECK(other.stat("f").uid == 5);
    CHECK(other.stat("f").gid == 6);
    CHECK(other.stat("f").modified == 3'000'000'000);
    CHECK(other.stat("f").mode == 0644);
    other.ask("f");
    other.pump();
    CHECK(other.content[0] == "x");
  }

  TEST_CASE("what the tree ignores stays, unless the request brings rules of its own") {
    memory_disk files;
    files.file("keep", "");
    files.file("secret/key", "");
    files.file("secret/public", "");
    files.file("log", "");
    {
      receiver other(source_of(files, "secret\nlog\n!secret/public"));
      other.pump();
      CHECK(other.paths() == "keep\nsecret\nsecret/public\n");
    }
    file_request wanted;
    wanted.exclude = {"keep", "#odd"};
    receiver other(source_of(files, "secret\nlog"), wanted);
    other.pump();
    CHECK(other.paths() == "log\nsecret\nsecret/key\nsecret/public\n");
  }

  TEST_CASE("patterns that include: with the directories above, and nothing is entered in vain") {
    memory_disk files;
    files.file("a/x/1", "");
    files.file("a/y/2", "");
    files.file("ab/3", "");
    files.file("b/x/4", "");
    struct {
      std::vector<std::string> patterns;
      const char* paths;
      std::vector<std::string> entered;
    } const cases[] = {
        {{"a/x"}, "a\na/x\na/x/1\n", {"", "a", "a/x"}},
        {{"a/x/*", "ab"}, "a\na/x\na/x/1\nab\nab/3\n", {"", "a", "a/x", "ab"}},
        {{"**/x"}, "a\na/x\na/x/1\nb\nb/x\nb/x/4\n", {"", "a", "a/x", "a/y", "ab", "b", "b/x"}},
        {{"*/y", "!a/y/2"}, "a\na/y\n", {"", "a", "a/x", "a/y", "ab", "b", "b/x"}},
        {{"none"}, "", {""}},
    };
    for (const auto& expected : cases) {
      CAPTURE(expected.patterns.front());
      files.entered.clear();
      receiver other(source_of(files), including(expected.patterns));
      other.pump();
      CHECK(other.paths() == expected.paths);
      CHECK(files.entered == expected.entered);
    }
  }

  TEST_CASE("a path that is to be followed brings the links on its way and what they lead to") {
    memory_disk files;
    files.file("real/deep/file", "");
    files.file("real/other", "");
    files.other("link", file_kind::symlink, "real/deep");
    files.other("abs", file_kind::symlink, "/link/file");
    files.other("up/back", file_kind::symlink, "../../../real/other");
    files.other("loop", file_kind::symlink, "loop/x");
    files.other("self", file_kind::symlink, "self");
    files.file("plain", "");
    struct {
      std::vector<std::string> follow;
      const char* paths;
    } const cases[] = {
        {{"plain"}, "plain\n"},
        {{"link/file"}, "link\nreal\nreal/deep\nreal/deep/file\n"},
        {{"abs"}, "abs\nlink\nreal\nreal/deep\nreal/deep/file\n"},
        {{"up/back"}, "real\nreal/other\nup\nup/back\n"},
        {{"loop", "self", "absent", "../plain"}, "loop\nplain\nself\n"},
        {{"l*"}, "link\nloop\nreal\nreal/deep\nreal/deep/file\n"},
        {{"real/deep/file/beyond"}, ""},
    };
    for (const auto& expected : cases) {
      CAPTURE(expected.follow.front());
      file_request wanted;
      wanted.follow = expected.follow;
      receiver other(source_of(files), wanted);
      other.pump();
      CHECK(other.paths() == expected.paths);
    }
    file_request everything;
    everything.follow = {"plain", "/"};
    receiver other(source_of(files), everything);
    other.pump();
    CHECK(other.stats.size() == 11);
  }

  TEST_CASE("a file in memory, where there is no directory") {
    const memory_disk files;
    auto source = source_of(files);
    source->plan.on_disk = false;
    source->plan.overlay = {{"Dockerfile", "FROM a"}, {"Dockerfile.dockerignore", ""}};
    file_request wanted;
    wanted.follow = {"Dockerfile", "Dockerfile.dockerignore", "dockerfile"};
    receiver other(source, wanted);
    CHECK(other.pump() == file_sender::state::idle);
    CHECK(other.paths() == "Dockerfile\nDockerfile.dockerignore\n");
    other.ask("Dockerfile");
    other.ask("Dockerfile.dockerignore");
    other.pump();
    CHECK(other.content[0] == "FROM a");
    CHECK(other.ended == std::vector<std::uint32_t>{0, 1});
    receiver one(source, including({"Dockerfile"}));
    one.pump();
    CHECK(one.paths() == "Dockerfile\n");
  }

  TEST_CASE("files in memory come where their names belong, in the place of what the disk has there") {
    memory_disk files;
    files.file("a/x", "x");
    files.file("c", "of the disk", 0755).attributes.mtime = 7;
    files.file("d/below", "x");
    files.other("e", file_kind::socket);
    files.other("f", file_kind::symlink, "nowhere");
    files.file("z.log", "x");
    auto source = source_of(files, "*.log\n");
    for (const char* name : {"m.log", "a-b", "zz", "c", "d", "e", "f"}) {
      auto& over = source->plan.overlay.emplace_back();
      over.name = name;
      over.text = std::string("made ") + name;
      over.mode = 0640;
      source->plan.always.emplace_back(name);
    }
    source->plan.opened_at = 9;
    receiver other(source);
    CHECK(other.pump() == file_sender::state::idle);
    REQUIRE_MESSAGE(!other.code, other.why.client_message());
    // By components, as a receiver wants them: what lies in "a" comes before "a-b".
    CHECK(other.paths() == "a\na/x\na-b\nc\nd\ne\nf\nm.log\nzz\n");
    CHECK(other.stat("c").mode == 0755);
    CHECK(other.stat("c").modified / 1'000'000'000 == 7);
    for (const char* name : {"a-b", "d", "e", "f", "m.log", "zz"}) {
      CAPTURE(name);
      CHECK(other.stat(name).mode == 0640);
      CHECK(other.stat(name).link.empty());
    }
    CHECK(other.stat("zz").modified / 1'000'000'000 == 9);
    for (const char* name : {"a-b", "c", "d", "e", "f", "m.log", "zz"}) other.ask(name);
    CHECK(other.pump() == file_sender::state::idle);
    REQUIRE_MESSAGE(!other.code, other.why.client_message());
    for (std::uint32_t id = 0; id < other.stats.size(); ++id) {
      const std::string& name = other.stats[id].path;
      if (name != "a" && name != "a/x") CHECK(other.content[id] == "made " + name);
    }

    // What the daemon rules out, it does not get; what it includes, it does.
    file_request wanted;
    wanted.only_excludes = true;
    wanted.exclude = {"*.log", "c", "!m.log"};
    receiver ruled(source, wanted);
    ruled.pump();
    CHECK(ruled.paths() == "a\na/x\na-b\nd\ne\nf\nm.log\nzz\n");
    receiver some(source, including({"a-*", "c", "nothing"}));
    some.pump();
    CHECK(some.paths() == "a-b\nc\n");
  }

  TEST_CASE("another text in memory has another time, however soon it comes") {
    const memory_disk files;
    std::vector<std::int64_t> times;
    for (const char* text : {"LABEL a=1", "LABEL a=2", "LABEL a=1"}) {
      auto source = source_of(files);
      source->plan.on_disk = false;
      source->plan.opened_at = 1'700'000'000;
      source->plan.overlay = {{"Dockerfile", text}};
      receiver other(source);
      other.pump();
      times.push_back(other.stat("Dockerfile").modified);
      CHECK(times.back() / 1'000'000'000 == 1'700'000'000);
    }
    CHECK(times[0] != times[1]);
    CHECK(times[0] == times[2]);
  }

  TEST_CASE("each way in which a file is not what it was when it was told of") {
    struct {
      const char* what;
      int number;
      std::function<void(memory_disk&)> change;
      errc code;
      const char* words;
    } const cases[] = {
        {"open", ENOENT, {}, errc::file_changed, "d/f: vanished while the context was sent"},
        {"open", ELOOP, {}, errc::file_changed, "d/f: was replaced while the context was sent"},
        {"open", EACCES, {}, errc::unreadable_file, "d/f: Permission denied"},
        {"enter", ENOTDIR, {}, errc::file_changed, "d/f: was replaced while the context was sent"},
        {"read", EIO, {}, errc::unreadable_file, "d/f: Input/output error"},
        {"", 0, [](memory_disk& disk) { disk.file("d/f", "longer"); }, errc::file_changed,
         "d/f: changed while the context was sent"},
        {"", 0, [](memory_disk& disk) { ++disk.root.children["d"].children["f"].attributes.mtime; },
         errc::file_changed, "d/f: changed while the context was sent"},
        {"", 0, [](memory_disk& disk) { disk.root.children["d"].children["f"].text = "more bytes"; },
         errc::file_changed, "d/f: grew while the context was sent"},
        {"", 0, [](memory_disk& disk) { disk.root.children["d"].children["f"].text = "t"; },
         errc::file_changed, "d/f: shrank while the context was sent"},
        {"", 0, [](memory_disk& disk) { disk.other("d/f", file_kind::fifo); }, errc::file_changed,
         "d/f: changed while the context was sent"},
    };
    for (const auto& expected : cases) {
      CAPTURE(expected.words);
      memory_disk files;
      files.file("d/f", "text");
      receiver other(source_of(files));
      REQUIRE(other.pump() == file_sender::state::idle);
      if (expected.change) expected.change(files);
      files.fault = [&](std::string_view what, const std::string& path) {
        return what == expected.what && !path.empty() ? expected.number : 0;
      };
      other.ask("d/f");
      other.pump();
      CHECK(other.code == expected.code);
      CHECK(other.why.client_message() == expected.words);
      CHECK(other.ended.empty());
    }
  }

  TEST_CASE("a file that is written over in place while it is sent is noticed") {
    memory_disk files;
    files.file("d/f", "text");
    receiver other(source_of(files));
    REQUIRE(other.pump() == file_sender::state::idle);
    files.fault = [&](std::string_view what, const std::string&) {
      if (what == "read") ++files.root.children["d"].children["f"].attributes.mtime;
      return 0;
    };
    other.ask("d/f");
    other.pump();
    CHECK(other.code == errc::file_changed);
    CHECK(other.why.client_message() == "d/f: changed while the context was sent");
  }

  TEST_CASE("a name that is not UTF-8 is named, and the builder that takes it") {
    for (const bool link : {false, true}) {
      memory_disk files;
      if (link)
        files.other("l", file_kind::symlink, "\xff");
      else
        files.file("caf\xe9", "");
      receiver other(source_of(files));
      other.pump();
      CHECK(other.code == errc::unreadable_file);
      CHECK(other.why.client_message().find("the classic builder does") != std::string::npos);
    }
  }

  TEST_CASE("each call on the disk that fails ends the list with the path and the reason") {
    struct {
      const char* what;
      const char* path;
      int number;
      errc code;
      const char* words;
    } const faults[] = {
        {"attributes", "d", EIO, errc::unreadable_file, "d: Input/output error"},
        {"attributes", "d/f", EACCES, errc::unreadable_file, "d/f: Permission denied"},
        {"look", "d/f", ENOENT, errc::file_changed, "d/f: vanished while the context was packed"},
        {"link", "l", EACCES, errc::unreadable_file, "l: Permission denied"},
    };
    for (const auto& expected : faults) {
      CAPTURE(expected.words);
      memory_disk files;
      files.file("d/f", "text");
      files.other("l", file_kind::symlink, "d");
      files.fault = [&](std::string_view what, const std::string& path) {
        return what == expected.what && path == expected.path ? expected.number : 0;
      };
      receiver other(source_of(files));
      other.pump();
      CHECK(other.code == expected.code);
      CHECK(other.why.client_message() == expected.words);
      CHECK_FALSE(other.listed);
    }
  }

  TEST_CASE("a bad pattern is named") {
    memory_disk files;
    receiver other(source_of(files), including({"ok", "[bad"}));
    other.pump();
    CHECK(other.code == errc::invalid_pattern);
    CHECK(other.why.client_message().find("include pattern line 2") == 0);
  }

  TEST_CASE("a daemon that asks for what there is not, or says what is no sense") {
    memory_disk files;
    files.file("d/f", "text");
    for (const std::uint32_t id : {0u, 2u, 0xFFFFFFFFu}) {
      CAPTURE(id);
      receiver other(source_of(files));
      REQUIRE(other.pump() == file_sender::state::idle);
      other.ask(id);
      other.pump();
      CHECK(other.code == errc::malformed_message);
    }
    receiver twice(source_of(files));
    twice.pump();
    twice.ask(1);
    twice.ask(1);
    twice.pump();
    CHECK(twice.code == errc::malformed_message);
    CHECK(twice.content[1] == "text");

    receiver flooded(source_of(files));
    flooded.pump();
    std::string message;
    append_request(message, 1);
    error_code code;
    int taken = 0;
    for (; !code && taken < 100; ++taken) code = flooded.sender.take(message, flooded.why);
    CHECK(code == errc::malformed_message);
    CHECK(taken < 10);

    file_sender sender(source_of(files), {});
    diagnostics why;
    CHECK(sender.take("\xff", why) == errc::malformed_message);
    message.clear();
    append_data_head(message, 1, 0);
    CHECK(sender.take(message, why) == errc::malformed_message);
    message.clear();
    append_error(message, "disk full");
    CHECK(sender.take(message, why) == errc::operation_failed);
    CHECK(why.server_message() == "disk full");
  }

  TEST_CASE("stop() ends the walk and the sending") {
    memory_disk files;
    files.file("f", "text");
    receiver other(source_of(files));
    other.pump();
    other.ask("f");
    other.sender.stop();
    other.pump();
    CHECK(other.code == boost::asio::error::operation_aborted);
    receiver early(source_of(files));
    early.sender.stop();
    early.pump();
    CHECK(early.code == boost::asio::error::operation_aborted);
  }

  TEST_CASE("a real directory: links, times to the nanosecond, extended attributes") {
    const archive::scratch_tree tree;
    tree.file("d/file", "hello", 0640);
    tree.symlink("d/link", "file");
    const timespec times[2] = {{1'000'000'000, 5}, {1'234'567'890, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, tree.path("d/file").c_str(), times, 0) == 0);
    const bool attributes = ::setxattr(tree.path("d/file").c_str(), "user.note", "v", 1, 0) == 0;
    auto source = source_of(archive::local_disk());
    source->plan.root = tree.root();
    receiver other(source);
    CHECK(other.pump() == file_sender::state::idle);
    CHECK(other.paths() == "d\nd/file\nd/link\n");
    CHECK(other.stat("d/file").modified == 1'234'567'890'123'456'789);
    CHECK(other.stat("d/file").mode == 0640);
    CHECK(other.stat("d/link").link == "file");
    if (attributes) {
      REQUIRE(other.stat("d/file").attributes.size() == 1);
      CHECK(other.stat("d/file").attributes[0] == std::make_pair(std::string("user.note"), std::string("v")));
    }
    other.ask("d/file");
    other.pump();
    CHECK(other.content[1] == "hello");
  }
}

}  // namespace dockline::buildkit
