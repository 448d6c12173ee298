#include "dockline/containerize/config.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "containerize/google_names.hpp"
#include "containerize/refusal.hpp"
#include "core/encoding.hpp"

#include <algorithm>

namespace dockline::containerize {
namespace {

// The rule that a path breaks whatever it is for; empty when it breaks none. A Dockerfile has no way to write
// these.
std::string_view path_fault(std::string_view path) {
  if (std::ranges::any_of(path, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }))
    return "a path here has no line breaks and no NUL";
  if (!is_utf8(path)) return "a path here is UTF-8";
  return {};
}

class checker {
 public:
  checker(const containerize_options& options, diagnostics& why) : options_(options), why_(why) {}

  result<void> run() {
    const docker_config& docker = options_.docker;
    if (auto sound = check_use(); !sound) return sound;
    if (auto sound = check_paths(); !sound) return sound;
    if (auto sound = check_reference("image", docker.image); !sound) return sound;
    if (docker.image.find('@') != docker.image.npos)
      return refuse("image", docker.image, "an image that is yet to be built has no digest", why_);
    if (auto sound = check_reference("parent_image", docker.parent_image); !sound) return sound;
    if (auto sound = check_reference("cache_from", docker.cache_from); !sound) return sound;
    if (auto sound = check_name("image_build_bucket", docker.image_build_bucket, &bucket_name_fault); !sound)
      return sound;
    if (auto sound = check_name("project", options_.project, &project_id_fault); !sound) return sound;
    if (auto sound = check_name("region", options_.region, &region_fault); !sound) return sound;
    return check_registry();
  }

 private:
  // Options that contradict each other.
  result<void> check_use() {
    const bool bucket = !options_.docker.image_build_bucket.empty();
    if (options_.from_notebook && !bucket) {
      return refuse(
          "image_build_bucket", {},
          "called from a notebook, where no daemon is, a build needs a bucket: with it Google Cloud "
          "Build makes the image",
          why_);
    }
    if (!options_.region.empty() && !bucket)
      return refuse("region", options_.region, "is where Cloud Build runs, which takes image_build_bucket",
                    why_);
    if (!options_.push && bucket) {
      return refuse("image_build_bucket", options_.docker.image_build_bucket,
                    "Google Cloud Build always pushes, so it cannot be told not to (no_push)", why_);
    }
    return result<void>();
  }

  result<void> check_paths() {
    const std::string& entry = options_.entry_point;
    if (entry.empty()) return refuse("entry_point", {}, "the program to run is missing", why_);
    if (const auto fault = path_fault(entry); !fault.empty())
      return refuse("entry_point", to_utf8(entry), fault, why_);
    if (!entry.ends_with(".py") && !entry.ends_with(".ipynb"))
      return refuse("entry_point", entry, "a program here ends in .py or .ipynb", why_);
    if (const auto fault = path_fault(options_.requirements); !fault.empty())
      return refuse("requirements", to_utf8(options_.requirements), fault, why_);
    const std::string& destination = options_.destination_dir;
    if (const auto fault = path_fault(destination); !fault.empty())
      return refuse("destination_dir", to_utf8(destination), fault, why_);
    if (!destination.starts_with('/'))
      return refuse("destination_dir", destination, "a directory in the image begins with '/'", why_);
    return result<void>();
  }

  result<void> check_reference(std::string_view field, const std::string& text) {
    if (text.empty()) return result<void>();
    const auto parsed = engine::parse_image_ref(text, why_);
    if (parsed) return result<void>();
    why_.set_client_message(std::string(field) + ": " + to_utf8(why_.client_message()));
    return parsed.error();
  }

  result<void> check_name(std::string_view field, const std::string& name,
                          std::string_view (*fault_of)(std::string_view)) {
    if (name.empty()) return result<void>();
    const std::string_view fault = fault_of(name);
    if (fault.empty()) return result<void>();
    return refuse(field, to_utf8(name), fault, why_);
  }

  result<void> check_registry() {
    if (options_.registry.empty()) return result<void>();
    diagnostics words;
    if (engine::parse_image_ref(options_.registry + "/tf_cloud_train", words)) return result<void>();
    return refuse("registry", to_utf8(options_.registry),
                  "a registry is HOST[:PORT], and the beginning of a repository's name behind a '/'", why_);
  }

  const containerize_options& options_;
  diagnostics& why_;
};

}  // namespace

result<void> check_options(const containerize_options& options, diagnostics& why) {
  return checker(options, why).run();
}

}  // namespace dockline::containerize
