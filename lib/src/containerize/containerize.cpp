#include "dockline/containerize/containerize.hpp"

#include "dockline/engine/image_ref.hpp"

#include "archive/work.hpp"
#include "archive/work_pool.hpp"
#include "containerize/build_tally.hpp"
#include "containerize/dockerfile.hpp"
#include "containerize/image_uri.hpp"
#include "containerize/parent_image.hpp"
#include "containerize/source_plan.hpp"
#include "containerize/tensorflow_installation.hpp"
#include "core/compact_strand.hpp"
#include "core/spawn.hpp"

#include <filesystem>
#include <optional>
#include <utility>

namespace dockline::containerize {
namespace {

// What the disk has to say.
struct findings {
  findings() = default;

  source_plan sources;
  tensorflow_search tensorflow;
};

struct request {
  request() = default;

  std::shared_ptr<image_builder> builder;
  containerize_options options;
  containerize_environment environment;
  progress::event_sink on_event;
};

class planner {
 public:
  planner(request what, diagnostics& why) : request_(std::move(what)), why_(why), tally_(request_.on_event) {}

  task<containerize_plan> run() {
    containerize_options& options = request_.options;
    if (auto sound = take_project(); !sound) co_return sound.error();
    auto image = choose_image(options, request_.environment.new_uuid, why_);
    if (!image) co_return image.error();
    auto found = co_await look();
    if (!found) co_return found.error();
    for (const auto& text : found->sources.warnings) tally_.warn(text);
    if (auto chosen = co_await choose_parent(found->tensorflow); !chosen) co_return chosen.error();

    dockerfile_parts parts;
    parts.parent_image = plan_.parent_image;
    parts.destination_dir = options.destination_dir;
    parts.requirements = found->sources.requirements;
    parts.tpu_client = options.tpu;
    parts.entry_point = found->sources.entry_point;
    auto dockerfile = make_dockerfile(parts, why_);
    if (!dockerfile) co_return dockerfile.error();

    image_order& order = plan_.order;
    order.context.directory = std::move(found->sources.directory);
    order.context.dockerfile = archive::dockerfile_source::from_text(std::move(*dockerfile));
    order.context.extra_files = std::move(found->sources.extra_files);
    order.context.work = options.work;
    order.image = std::move(*image);
    order.cache_from = choose_cache(options.docker);
    order.push = options.push;
    plan_.entry_point = std::move(found->sources.entry_point);
    containerized_image told;
    tally_.add_to(told);
    plan_.warnings = std::move(told.warnings);
    co_return std::move(plan_);
  }

 private:
  // Whether the local TensorFlow has a say.
  bool needs_tensorflow() const {
    return request_.options.docker.parent_image.empty() && request_.environment.kaggle_image.empty();
  }

  task<findings> look() {
    containerize_options options = request_.options;
    if (options.working_directory.empty()) {
      std::error_code failed;
      options.working_directory = std::filesystem::current_path(failed).string();
    }
    std::shared_ptr<archive::work_pool> pool;
    asio::any_io_executor work = options.work;
    if (!work) {
      pool = archive::make_work_pool();
      work = archive::executor_of(*pool);
    }
    auto job = std::make_shared<archive::blocking_job<findings>>();
    job->work = [options = std::move(options), environment = request_.environment,
                 tensorflow = needs_tensorflow()](diagnostics& words,
                                                  const std::atomic<bool>& stopped) -> result<findings> {
      auto sources = find_sources(options, words);
      if (!sources) return sources.error();
      findings found;
      found.sources = std::move(*sources);
      if (tensorflow) found.tensorflow = find_tensorflow(environment, stopped);
      return found;
    };
    auto found = co_await archive::run_blocking(work, job, why_);
    co_return found;
  }

  // One of the environment that cannot be right stands in the way only where it would be used.
  result<void> take_project() {
    containerize_options& options = request_.options;
    const bool given = !options.project.empty();
    if (!given) options.project = request_.environment.project;
    auto sound = check_options(options, why_);
    if (sound || given || options.project.empty()) return sound;
    options.project.clear();
    diagnostics others;
    if (!check_options(options, others)) return sound;
    if (!options.docker.image.empty() && options.docker.image_build_bucket.empty()) {
      why_.clear();
      return result<void>();
    }
    why_.set_client_message("GOOGLE_CLOUD_PROJECT: " + why_.client_message());
    return sound;
  }

  task<void> choose_parent(const tensorflow_search& search) {
    const std::string& given = request_.options.docker.parent_image;
    const std::string& kaggle = request_.environment.kaggle_image;
    if (!given.empty() || !kaggle.empty()) {
      plan_.parent_image = given.empty() ? kaggle : given;
      if (!given.empty() || engine::parse_image_ref(kaggle, why_)) co_return result<void>();
      why_.set_client_message("KAGGLE_DOCKER_IMAGE: " + why_.client_message());
      co_return errc::invalid_reference;
    }
    const accelerator kind = request_.options.accelerator;
    plan_.parent_image = latest_tensorflow_image(kind);
    const std::optional<tensorflow_version>& installed = search.found;
    if (!installed) {
      tally_.warn((search.failure.empty()
                       ? "no TensorFlow is installed here"
                       : "whether TensorFlow is installed here cannot be told: " + search.failure) +
                  "; the parent image is " + plan_.parent_image);
      co_return result<void>();
    }
    const std::string whose = installed->distribution + " " + installed->version + " in " + installed->where;
    const std::string image = tensorflow_image(*installed, kind);
    if (image.empty()) {
      tally_.warn(whose + " has a version that no image can have; the parent image is " + plan_.parent_image);
      co_return result<void>();
    }
    auto looked = co_await look_up(image);
    if (!looked) co_return looked.error();
    switch (looked->presence) {
      case image_presence::present: plan_.parent_image = image; co_return result<void>();
      case image_presence::absent:
        tally_.warn(image + ", for " + whose + ", is not there: " + looked->reason +
                    "; the parent image is " + plan_.parent_image);
        co_return result<void>();
      case image_presence::unknown:
        tally_.warn("whether " + image + ", for " + whose + ", is there cannot be told: " + looked->reason +
                    "; the parent image is " + plan_.parent_image);
        co_return result<void>();
    }
    co_return result<void>();
  }

  task<image_lookup> look_up(std::string image) {
    auto start = [builder = request_.builder, image = std::move(image), why = &why_](auto handler) {
      builder->start_look_up(image, why, completion_handler<image_lookup>(std::move(handler)));
    };
    auto [code, answer] =
        co_await asio::async_initiate<const unless_cancelled_t, void(error_code, image_lookup)>(
            start, unless_cancelled);
    if (code) co_return code;
    co_return std::move(answer);
  }

  request request_;
  diagnostics& why_;
  build_tally tally_;
  containerize_plan plan_;
};

task<containerize_plan> make_plan(request what, diagnostics& why) {
  planner one(std::move(what), why);
  auto plan = co_await one.run();
  co_return plan;
}

task<containerized_image> containerize(request what, diagnostics& why) {
  auto plan = co_await make_plan(what, why);
  if (!plan) co_return plan.error();
  auto start = [builder = what.builder, order = std::move(plan->order), on_event = what.on_event,
                where = &why](auto handler) {
    builder->start_build(order, on_event, where, completion_handler<containerized_image>(std::move(handler)));
  };
  auto [code, image] =
      co_await asio::async_initiate<const unless_cancelled_t, void(error_code, containerized_image)>(
          start, unless_cancelled);
  if (code) co_return code;
  image.warnings.insert(image.warnings.begin(), plan->warnings.begin(), plan->warnings.end());
  co_return std::move(image);
}

request make_request(std::shared_ptr<image_builder> builder, containerize_options options,
                     containerize_environment environment, progress::event_sink on_event) {
  request what;
  what.builder = std::move(builder);
  what.options = std::move(options);
  what.environment = std::move(environment);
  what.on_event = std::move(on_event);
  return what;
}

}  // namespace

void start_plan_image(std::shared_ptr<image_builder> builder, containerize_options options,
                      containerize_environment environment, progress::event_sink on_event, diagnostics* why,
                      completion_handler<containerize_plan> handler) {
  const asio::any_io_executor strand = make_compact_strand(builder->get_executor());
  spawn<containerize_plan>(strand, why, std::move(handler),
                           [what = make_request(std::move(builder), std::move(options),
                                                std::move(environment), std::move(on_event))](
                               diagnostics& words) mutable { return make_plan(std::move(what), words); });
}

void start_containerize(std::shared_ptr<image_builder> builder, containerize_options options,
                        containerize_environment environment, progress::event_sink on_event, diagnostics* why,
                        completion_handler<containerized_image> handler) {
  const asio::any_io_executor strand = make_compact_strand(builder->get_executor());
  spawn<containerized_image>(
      strand, why, std::move(handler),
      [what =
           make_request(std::move(builder), std::move(options), std::move(environment), std::move(on_event))](
          diagnostics& words) mutable { return containerize(std::move(what), words); });
}

}  // namespace dockline::containerize
