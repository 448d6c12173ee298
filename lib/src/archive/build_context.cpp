#include "dockline/archive/build_context.hpp"

#include "archive/context_source.hpp"
#include "archive/context_state.hpp"
#include "archive/work.hpp"
#include "archive/work_pool.hpp"
#include "core/spawn.hpp"

#include <filesystem>
#include <utility>

namespace dockline::archive {
namespace {

const std::string nothing;

task<build_context> open_context(context_options options, diagnostics& why) {
  auto shared = std::make_shared<build_context::state>();
  shared->work = options.work;
  shared->reader = foreign_work_of(co_await asio::this_coro::executor);
  if (!shared->work) {
    shared->pool = make_work_pool();
    shared->work = executor_of(*shared->pool);
  }
  if (options.working_directory.empty()) {
    // Where it was removed it stays empty, and only absolute paths mean something.
    std::error_code failed;
    options.working_directory = std::filesystem::current_path(failed).string();
  }
  auto job = std::make_shared<blocking_job<std::shared_ptr<context_tree>>>();
  job->work = [options = std::move(options)](diagnostics& where, const std::atomic<bool>&) {
    return find_context(options, local_disk(), where);
  };
  auto found = co_await run_blocking(shared->work, job, why);
  if (!found) co_return found.error();
  shared->found = std::move(*found);
  co_return build_context(std::move(shared));
}

}  // namespace

build_context::build_context() noexcept = default;
build_context::build_context(const build_context&) noexcept = default;
build_context::build_context(build_context&&) noexcept = default;
build_context& build_context::operator=(const build_context&) noexcept = default;
build_context& build_context::operator=(build_context&&) noexcept = default;
build_context::~build_context() = default;

build_context::build_context(std::shared_ptr<const state> shared) noexcept : state_(std::move(shared)) {}

const std::string& build_context::dockerfile_name() const noexcept {
  return state_ ? state_->found->dockerfile_name : nothing;
}

const std::string& build_context::dockerfile_text() const noexcept {
  return state_ ? state_->found->dockerfile_text : nothing;
}

const std::string& build_context::ignore_file() const noexcept {
  return state_ ? state_->found->plan.ignore_file : nothing;
}

ignore_mode build_context::mode() const noexcept {
  return state_ ? state_->found->plan.mode : ignore_mode::buildkit;
}

const std::string& build_context::directory() const noexcept {
  return state_ ? state_->found->plan.root : nothing;
}

build_context build_context::with_mode(ignore_mode mode) const {
  if (!state_ || state_->found->plan.mode == mode) return *this;
  return changed(*this, [&](context_tree& tree) { tree.plan.mode = mode; });
}

std::unique_ptr<byte_source> build_context::pack() const { return make_context_source(*state_); }
std::unique_ptr<byte_source> build_context::pack(std::string content_hash) const {
  return make_context_source(*state_, std::move(content_hash));
}

void start_open_context(boost::asio::any_io_executor executor, context_options options, diagnostics* why,
                        completion_handler<build_context> handler) {
  spawn<build_context>(executor, why, std::move(handler),
                       [options = std::move(options)](diagnostics& where) mutable {
                         return open_context(std::move(options), where);
                       });
}

}  // namespace dockline::archive
