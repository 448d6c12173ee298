#pragma once

#include <dockline/core/byte_source.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace dockline::tool {

// Standard input as a source of bytes, read without blocking the event loop whatever it is: a terminal, a
// pipe or a file.
std::unique_ptr<byte_source> make_source_of_stdin(boost::asio::any_io_executor executor);

// The same of a file. Null, with errno set, when it cannot be opened.
std::unique_ptr<byte_source> make_source_of_file(boost::asio::any_io_executor executor,
                                                 const std::string& path);

}  // namespace dockline::tool
