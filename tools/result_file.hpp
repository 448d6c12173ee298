#pragma once

#include <dockline/core/byte_source.hpp>

#include "console.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace dockline::tool {

// Where a result goes: standard output ("-") or a file. A file appears under its name only when the result is
// whole, so that one from before stays if it never is; a device or a pipe is written as it is.
class result_file {
 public:
  result_file(std::string path, console& terminal) : path_(std::move(path)), terminal_(terminal) {}
  result_file(const result_file&) = delete;
  result_file& operator=(const result_file&) = delete;
  ~result_file();

  bool is_terminal() const;
  // Both return false after saying why.
  bool write(std::string_view bytes);
  bool finish();

 private:
  bool open();
  bool fail();

  std::string path_;
  console& terminal_;
  std::string temporary_;  // the name that it has until it is whole
  int descriptor_ = -1;
};

// Reads all of a source into the file, and says what goes wrong. Returns the status of the process.
boost::asio::awaitable<int> write_all(std::shared_ptr<byte_source> source, result_file& to,
                                      console& terminal);

}  // namespace dockline::tool
