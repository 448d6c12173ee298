#pragma once

// Threads of the library's own, for a context whose user gave no executor for its work.

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace dockline::archive {

class work_pool;

// A thread, and where work has to wait for it more of them, up to one for each processor and eight. They end when the
// last copy goes, after the work that was begun.
std::shared_ptr<work_pool> make_work_pool();
boost::asio::any_io_executor executor_of(work_pool& pool);

}  // namespace dockline::archive
