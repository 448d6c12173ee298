#pragma once

// What threads of other contexts do for the operations of this one, and what becomes of it when this one ends
// first: a service may well end while it builds.

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <utility>

namespace dockline {

class foreign_work_list;

// One job for an operation, and the operation's handler. To be held by a shared_ptr.
class foreign_work : public std::enable_shared_from_this<foreign_work> {
 public:
  explicit foreign_work(std::shared_ptr<foreign_work_list> home) noexcept : home_(std::move(home)) {}
  foreign_work(const foreign_work&) = delete;
  foreign_work& operator=(const foreign_work&) = delete;
  virtual ~foreign_work();

  // Once, where the operation starts. Where its context has ended before, it is of another one, which nobody
  // watches.
  void enlist();

  // By the thread that does the work, before it uses anything that belongs to the operation. False: the context
  // has ended, and the handler is gone. From then until leave() the end of the context waits.
  bool enter() noexcept;
  // When the handler was posted to its executor and nothing that belongs to the operation is kept.
  void leave() noexcept;

 private:
  friend class foreign_work_list;

  // The context ends. The job, which may be under way, is to end soon.
  virtual void stop() noexcept = 0;
  // The context ends, and the job never began: its handler goes, and so does what it would have used.
  virtual void abandon() noexcept = 0;

  const std::shared_ptr<foreign_work_list> home_;
  bool listed_ = false;
};

// The list of the context of `executor`.
std::shared_ptr<foreign_work_list> foreign_work_of(const boost::asio::any_io_executor& executor);

}  // namespace dockline
