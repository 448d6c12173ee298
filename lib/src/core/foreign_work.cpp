#include "core/foreign_work.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dockline {

namespace asio = boost::asio;

class foreign_work_list {
 public:
  // False: the context has ended already.
  bool add(foreign_work& one) {
    const std::lock_guard lock(mutex_);
    if (!over_) works_.try_emplace(&one, entry{one.weak_from_this(), false});
    return !over_;
  }

  void remove(const foreign_work& one) noexcept {
    const std::lock_guard lock(mutex_);
    works_.erase(&one);
    left_.notify_all();
  }

  bool enter(const foreign_work& one) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = works_.find(&one);
    if (found == works_.end()) return false;
    found->second.inside = true;
    return true;
  }

  void end() {
    std::vector<std::shared_ptr<foreign_work>> all;
    std::unique_lock lock(mutex_);
    over_ = true;
    for (const auto& [work, kept] : works_) {
      if (auto alive = kept.work.lock()) all.push_back(std::move(alive));
    }
    lock.unlock();
    for (const auto& one : all) one->stop();
    lock.lock();
    std::erase_if(works_, [](const auto& one) { return !one.second.inside; });
    left_.wait(lock, [this] { return works_.empty(); });
    lock.unlock();
    for (const auto& one : all) one->abandon();
  }

 private:
  struct entry {
    std::weak_ptr<foreign_work> work;
    bool inside = false;
  };

  std::mutex mutex_;
  std::condition_variable left_;
  std::unordered_map<const foreign_work*, entry> works_;
  bool over_ = false;
};

namespace {

// Tells when the context ends. Asio ends its services in the reverse of the order in which they were made, so the
// executors of the context still take what a thread that is late posts.
class end_of_context final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit end_of_context(asio::execution_context& context)
      : service(context), works(std::make_shared<foreign_work_list>()) {}

  void shutdown() override { works->end(); }

  const std::shared_ptr<foreign_work_list> works;
};

}  // namespace

foreign_work::~foreign_work() { leave(); }
void foreign_work::enlist() { listed_ = home_->add(*this); }
bool foreign_work::enter() noexcept { return !listed_ || home_->enter(*this); }
void foreign_work::leave() noexcept {
  if (listed_) home_->remove(*this);
}

std::shared_ptr<foreign_work_list> foreign_work_of(const asio::any_io_executor& executor) {
  return asio::use_service<end_of_context>(asio::query(executor, asio::execution::context)).works;
}

}  // namespace dockline
