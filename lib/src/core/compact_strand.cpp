#include "core/compact_strand.hpp"

#include "core/function_queue.hpp"
#include "core/strand_core.hpp"

#include <boost/asio/execution.hpp>
#include <boost/asio/query.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace dockline {
namespace {

// An executor as Asio wants one, of three words.
class compact_strand {
 public:
  compact_strand(std::shared_ptr<strand_core> core, bool at_once, bool works) noexcept
      : core_(std::move(core)), at_once_(at_once), works_(works) {
    if (works_) core_->begin_work();
  }
  compact_strand(const compact_strand& other) noexcept
      : compact_strand(other.core_, other.at_once_, other.works_) {}
  compact_strand(compact_strand&& other) noexcept
      : core_(std::move(other.core_)), at_once_(other.at_once_), works_(std::exchange(other.works_, false)) {}
  compact_strand& operator=(const compact_strand&) = delete;
  compact_strand& operator=(compact_strand&&) = delete;
  ~compact_strand() {
    if (works_) core_->end_work();
  }

  asio::execution_context& query(asio::execution::context_t /*what*/) const {
    return asio::query(core_->executor(), asio::execution::context_as<asio::execution_context&>);
  }
  // Without these two Asio takes any for one that may block and has no work.
  asio::execution::blocking_t query(asio::execution::blocking_t /*what*/) const noexcept {
    if (at_once_) return asio::execution::blocking.possibly;
    return asio::execution::blocking.never;
  }
  asio::execution::outstanding_work_t query(asio::execution::outstanding_work_t /*what*/) const noexcept {
    if (works_) return asio::execution::outstanding_work.tracked;
    return asio::execution::outstanding_work.untracked;
  }
  compact_strand require(asio::execution::blocking_t::possibly_t /*what*/) const noexcept {
    return {core_, true, works_};
  }
  compact_strand require(asio::execution::blocking_t::never_t /*what*/) const noexcept {
    return {core_, false, works_};
  }
  compact_strand require(asio::execution::outstanding_work_t::tracked_t /*what*/) const noexcept {
    return {core_, at_once_, true};
  }
  compact_strand require(asio::execution::outstanding_work_t::untracked_t /*what*/) const noexcept {
    return {core_, at_once_, false};
  }

  template <class Function>
  void execute(Function&& what) const {
    std::decay_t<Function> function(std::forward<Function>(what));
    if (at_once_ && core_->runs_in_this_thread()) {
      function();
    } else {
      const auto core = core_;  // the function may own this executor
      core->queue(make_queued_function(std::move(function)), at_once_);
    }
  }

  friend bool operator==(const compact_strand& one, const compact_strand& other) noexcept {
    return one.core_ == other.core_;
  }

 private:
  std::shared_ptr<strand_core> core_;
  bool at_once_;  // in this thread, where that is possible
  bool works_;
};

}  // namespace

asio::any_io_executor make_compact_strand(const asio::any_io_executor& executor) {
  return compact_strand(std::make_shared<strand_core>(executor), true, false);
}

}  // namespace dockline
