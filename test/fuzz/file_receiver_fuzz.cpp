// Whatever a daemon sends as the files of a result (messages with a byte of length before each), nothing
// outside of the directory is touched, and it is answered only with what its protocol has.

#include "buildkit/file_receiver.hpp"
#include "buildkit/packet.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace dockline;
using namespace dockline::buildkit;
namespace fs = std::filesystem;

void require(bool truth) {
  if (!truth) std::abort();
}

// A folder for all inputs of this process: "out", which is emptied before each, and beside it what is not to
// be touched.
class scratch {
 public:
  scratch() {
    std::string name = (fs::temp_directory_path() / "dockline-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr);
    top_ = name;
    fs::create_directory(top_ / "beside");
    std::ofstream(top_ / "beside/kept") << "kept";
    fs::permissions(top_ / "beside/kept", fs::perms::owner_read);
  }
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::string empty_directory() const {
    const fs::path out = top_ / "out";
    fs::remove_all(out);
    fs::create_directory(out);
    // Ways out that are there already.
    fs::create_directory_symlink("../beside", out / "a");
    fs::create_symlink("../beside/kept", out / "b");
    return out.string();
  }

  void check() const {
    require(names(top_) == 2 && names(top_ / "beside") == 1);
    std::ifstream kept(top_ / "beside/kept");
    require(std::string(std::istreambuf_iterator<char>(kept), {}) == "kept");
    require(fs::status(top_ / "beside/kept").permissions() == fs::perms::owner_read);
    require(fs::hard_link_count(top_ / "beside/kept") == 1);
  }

 private:
  static std::ptrdiff_t names(const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  }

  fs::path top_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const scratch folder;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  {
    diagnostics why;
    file_receiver receiver(folder.empty_directory());
    require(!receiver.open(why));
    for (bool over = false; !input.empty() && !over;) {
      const auto length = static_cast<std::size_t>(static_cast<unsigned char>(input.front()));
      const std::string_view message = input.substr(1, length);
      input.remove_prefix(1 + message.size());
      message_batch answers;
      const auto left = receiver.take(message, answers, why);
      require(!left || why.empty());
      for (std::size_t i = 0; i < answers.size(); ++i) {
        packet read;
        require(read_packet(answers[i], read));
        require(read.type == packet_type::request || read.type == packet_type::fin);
      }
      over = !left || *left == file_receiver::state::over;
    }
    require(receiver.bytes() <= size);
    for (const auto& text : receiver.take_warnings()) require(!text.empty());
  }
  folder.check();
  return 0;
}
