#pragma once

// The receiving side of a file transfer: a result of a build that is written below a directory.
//
// Whatever the other side says, nothing outside of the directory is touched: paths are checked, and no
// symbolic link is followed below it, neither one that was there nor one that came.
// Source: tonistiigi/fsutil, receive.go, validator.go, diskwriter.go.

#include "dockline/core/diagnostics.hpp"
#include "dockline/core/error.hpp"

#include "buildkit/file_sender.hpp"
#include "buildkit/packet.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {

class file_receiver {
 public:
  // Whether more is to come; `over` after the last message of both sides.
  enum class state : std::uint8_t { more, over };

  // The directory is made if it is not there; what is in it stays, unless something of its name comes: a directory
  // gives way to what is none with all that is in it.
  explicit file_receiver(std::string directory);
  file_receiver(const file_receiver&) = delete;
  file_receiver& operator=(const file_receiver&) = delete;
  ~file_receiver();

  // Makes the directory. Blocks, as take() does. Errors: errc::cannot_write.
  error_code open(diagnostics& why);

  // Takes a message and appends what there is to answer.
  // Errors: errc::malformed_message for what no honest side sends, a path that leads out of the directory
  // among it; errc::cannot_write with the path and the reason; errc::operation_failed when the other side
  // reports an error. What was written so far stays; a file appears under its name only when it is whole.
  result<state> take(std::string_view message, message_batch& answers, diagnostics& why);

  // Whether all of the result is written, and the other side is told so by what take() appended last.
  bool whole() const noexcept { return fin_sent_; }
  std::uint64_t files() const noexcept { return made_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  // What could not be made, and is not worth a failure: devices.
  std::vector<std::string> take_warnings();

 private:
  struct open_file;
  struct waiting_file {
    std::uint32_t id = 0;
    file_stat stat;
  };

  error_code take_stat(file_stat stat, diagnostics& why);
  error_code check_order(const file_stat& stat, diagnostics& why);
  error_code make(const file_stat& stat, diagnostics& why);
  error_code take_data(std::uint32_t id, std::string_view data, diagnostics& why);
  error_code finish_file(open_file& file, diagnostics& why);
  error_code go_on(message_batch& answers, diagnostics& why);
  error_code begin_file(waiting_file& next, diagnostics& why);
  error_code make_links(diagnostics& why);
  error_code set_directory_times(diagnostics& why);
  error_code refuse(const std::string& path, std::string_view what, diagnostics& why) const;
  error_code fail(const std::string& path, int number, diagnostics& why) const;

  std::string directory_;
  int root_ = -1;
  std::uint32_t next_id_ = 0;
  bool listed_ = false;
  bool fin_sent_ = false;
  std::vector<std::pair<std::string, std::string>> order_;  // open directories, and the last name in each
  std::vector<waiting_file> waiting_;                       // regular files, in reverse once all are known
  std::size_t asked_ = 0;                                   // how many of them were asked for
  std::map<std::uint32_t, std::unique_ptr<open_file>> open_;
  std::vector<file_stat> links_;
  std::map<std::string, bool, std::less<>> regular_;  // paths that a hard link may name
  std::vector<std::pair<std::string, file_stat>> directories_;
  std::uint64_t names_ = 0;  // bytes that were kept of them
  std::uint64_t made_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace dockline::buildkit
