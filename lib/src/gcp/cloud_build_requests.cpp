#include "gcp/cloud_build_requests.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"

#include <algorithm>
#include <array>

namespace dockline::gcp {
namespace {

constexpr std::string_view build_service = "Cloud Build";
constexpr std::string_view build_step_id = "build";
constexpr std::string_view usual_machine = "E2_HIGHCPU_8";

struct status_name {
  build_status status;
  const char* name;
};
constexpr std::array<status_name, 9> status_names{{
    {build_status::pending, "PENDING"},
    {build_status::queued, "QUEUED"},
    {build_status::working, "WORKING"},
    {build_status::success, "SUCCESS"},
    {build_status::failure, "FAILURE"},
    {build_status::internal_error, "INTERNAL_ERROR"},
    {build_status::timeout, "TIMEOUT"},
    {build_status::cancelled, "CANCELLED"},
    {build_status::expired, "EXPIRED"},
}};

build_status status_of(std::string_view name) {
  for (const auto& [status, known] : status_names) {
    if (name == known) return status;
  }
  return build_status::unknown;
}

// Cloud Build puts substitutions into what a step is given: a '$' that is meant is written twice.
std::string literal(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled += c == '$' ? std::string("$$") : std::string(1, c);
  return doubled;
}

// What may stand for an image on a command line; the registry knows the finer rules.
bool is_image_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [](unsigned char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("$'\"`\\;&|<>(){}*?![]").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

bool is_path_part(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("-_.:").find(c) != std::string_view::npos;
  });
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= 128 && tag.front() != '-' && tag.front() != '.' &&
         std::ranges::all_of(
             tag, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; });
}

std::string builds_url(std::string_view base, const build_place& where) {
  const std::string region = where.region.empty() ? "global" : where.region;
  return std::string(base) + "/v1/projects/" + escape_path_segment(where.project) + "/locations/" +
         escape_path_segment(region) + "/builds";
}

api_call build_call(std::string method, std::string url, std::string_view permission, std::string_view role,
                    const build_place& where) {
  api_call call(std::move(method), std::move(url));
  call.service = build_service;
  call.permission =
      std::string(permission) + " in the project " + where.project + " (" + std::string(role) + ")";
  return call;
}

class build_writer {
 public:
  build_writer(const build_place& where, const build_request& what) : where_(where), what_(what) {}

  std::string write(std::string_view unique_tag) {
    out_.begin_object();
    write_source();
    out_.key("steps").begin_array();
    for (std::size_t i = 0; i < what_.cache_from.size(); ++i) write_pull(i);
    write_docker_build();
    out_.end_array();
    write_texts("images", what_.images);
    text("timeout", seconds(what_.timeout));
    text("queueTtl", seconds(what_.queue_ttl));
    text("logsBucket", what_.logs_bucket.empty() ? "gs://" + what_.source_bucket : what_.logs_bucket);
    std::vector<std::string> tags = what_.tags;
    tags.emplace_back(unique_tag);
    write_texts("tags", tags);
    if (!what_.substitutions.empty()) {
      out_.key("substitutions").begin_object();
      for (const auto& [name, value] : what_.substitutions) text(name, value);
      out_.end_object();
    }
    if (!what_.service_account.empty()) text("serviceAccount", account());
    write_options();
    out_.end_object();
    return out_.take();
  }

 private:
  void text(std::string_view key, std::string_view value) { out_.key(key).string(value); }

  void write_texts(std::string_view key, const std::vector<std::string>& values) {
    out_.key(key).begin_array();
    for (const auto& one : values) out_.string(one);
    out_.end_array();
  }

  static std::string seconds(std::chrono::seconds time) { return std::to_string(time.count()) + 's'; }

  std::string account() const {
    if (what_.service_account.starts_with("projects/")) return what_.service_account;
    // "NAME@PROJECT.iam.gserviceaccount.com"; the others are this project's own.
    std::string_view project = what_.service_account;
    project.remove_prefix(std::min(project.find('@'), project.size() - 1) + 1);
    const std::size_t end = project.find(".iam.gserviceaccount.com");
    project = end == project.npos ? std::string_view(where_.project) : project.substr(0, end);
    return "projects/" + std::string(project) + "/serviceAccounts/" + what_.service_account;
  }

  void write_source() {
    out_.key("source").begin_object().key("storageSource").begin_object();
    text("bucket", what_.source_bucket);
    text("object", what_.source_object);
    if (!what_.source_generation.empty()) text("generation", what_.source_generation);
    out_.end_object().end_object();
  }

  // Whether there is anything to take layers from shows when it is pulled; the build goes on without.
  void write_pull(std::size_t number) {
    out_.begin_object();
    text("id", "cache-" + std::to_string(number));
    text("name", literal(what_.builder_image));
    write_texts("args", {"pull", literal(what_.cache_from[number])});
    out_.key("allowFailure").boolean(true);
    out_.end_object();
  }

  void write_docker_build() {
    std::vector<std::string> words{"build"};
    const auto add = [&](std::string_view option, std::string_view value) {
      words.emplace_back(option);
      words.push_back(literal(value));
    };
    // Which BuildKit refuses.
    const std::string_view otherwise = what_.buildkit ? "" : "cloudbuild";
    if (const auto network = what_.network.empty() ? otherwise : what_.network; !network.empty())
      add("--network", network);
    for (const auto& image : what_.images) add("-t", image);
    for (const auto& image : what_.cache_from) add("--cache-from", image);
    // Else nothing could take its layers from the image once it is pushed.
    if (what_.buildkit && !what_.cache_from.empty() && !what_.build_args.contains("BUILDKIT_INLINE_CACHE"))
      add("--build-arg", "BUILDKIT_INLINE_CACHE=1");
    for (const auto& [name, value] : what_.build_args) add("--build-arg", value ? name + '=' + *value : name);
    for (const auto& [name, value] : what_.labels) add("--label", name + '=' + value);
    if (!what_.dockerfile.empty()) add("-f", what_.dockerfile);
    if (!what_.target.empty()) add("--target", what_.target);
    if (!what_.platform.empty()) add("--platform", what_.platform);
    for (const auto& host : what_.extra_hosts) add("--add-host", host);
    if (what_.no_cache) words.emplace_back("--no-cache");
    if (what_.pull) words.emplace_back("--pull");
    for (const auto& word : what_.docker_arguments) words.push_back(literal(word));
    words.emplace_back(".");
    out_.begin_object();
    text("id", build_step_id);
    text("name", literal(what_.builder_image));
    write_texts("args", words);
    write_texts("env", {what_.buildkit ? "DOCKER_BUILDKIT=1" : "DOCKER_BUILDKIT=0"});
    out_.end_object();
  }

  void write_options() {
    out_.key("options").begin_object();
    // A log in a bucket, and as it is made: what is not asked for may come at the end.
    text("logging", "GCS_ONLY");
    text("logStreamingOption", "STREAM_ON");
    if (!what_.private_pool.empty()) {
      out_.key("pool").begin_object();
      text("name", what_.private_pool);
      out_.end_object();
    } else {
      text("machineType", what_.machine_type.empty() ? usual_machine : std::string_view(what_.machine_type));
    }
    if (what_.disk_gb > 0) text("diskSizeGb", std::to_string(what_.disk_gb));
    // Ours are literal, so that a substitution need not be found anywhere.
    if (!what_.substitutions.empty()) text("substitutionOption", "ALLOW_LOOSE");
    out_.end_object();
  }

  const build_place& where_;
  const build_request& what_;
  json::writer out_;
};

std::vector<std::string> texts_of(json::value list) {
  std::vector<std::string> all;
  for (const json::value one : list.elements()) all.emplace_back(one.string_or_empty());
  return all;
}

}  // namespace

bool is_final(build_status status) noexcept {
  switch (status) {
    case build_status::unknown:
    case build_status::pending:
    case build_status::queued:
    case build_status::working: return false;
    case build_status::success:
    case build_status::failure:
    case build_status::internal_error:
    case build_status::timeout:
    case build_status::cancelled:
    case build_status::expired: return true;
  }
  return false;
}

const char* to_string(build_status status) noexcept {
  for (const auto& [known, name] : status_names) {
    if (status == known) return name;
  }
  return "STATUS_UNKNOWN";
}

std::string region_of_pool(std::string_view pool) {
  // The parts of "projects/P/locations/R/workerPools/W".
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t slash = pool.find('/');
    parts[i] = pool.substr(0, slash);
    // A part that is missing, or one too many.
    if (!is_path_part(parts[i]) || (slash == pool.npos) != (i + 1 == parts.size())) return {};
    pool.remove_prefix(slash == pool.npos ? pool.size() : slash + 1);
  }
  const bool sound = parts[0] == "projects" && parts[2] == "locations" && parts[4] == "workerPools";
  return sound ? std::string(parts[3]) : std::string();
}

result<void> check(const build_place& where, const build_request& what, diagnostics& why) {
  const auto refuse = [&](std::string words, errc code = errc::invalid_argument) {
    why.set_client_message(std::move(words));
    return code;
  };
  if (!is_path_part(where.project)) return refuse("project \"" + where.project + "\": not the id of one");
  if (!where.region.empty() && !is_path_part(where.region))
    return refuse("region \"" + where.region + "\": not the name of one");
  if (!what.private_pool.empty()) {
    const std::string region = region_of_pool(what.private_pool);
    if (region.empty())
      return refuse("private pool \"" + what.private_pool +
                    "\": written projects/PROJECT/locations/REGION/workerPools/NAME");
    if (!where.region.empty() && where.region != region)
      return refuse("region \"" + where.region + "\": the private pool " + what.private_pool + " is in " +
                    region + ", and its builds run there; leave the region out");
    if (!what.machine_type.empty())
      return refuse("machine type \"" + what.machine_type + "\": the private pool " + what.private_pool +
                    " has machines of its own");
  }
  if (what.images.empty()) return refuse("a build in the cloud needs a name for its image");
  for (const auto* names : {&what.images, &what.cache_from}) {
    for (const auto& name : *names) {
      if (!is_image_name(name))
        return refuse("\"" + name + "\": not a reference of an image", errc::invalid_reference);
    }
  }
  for (const auto& tag : what.tags) {
    if (!is_tag(tag)) return refuse("build tag \"" + tag + "\": 1 to 128 letters, digits, '-', '_' and '.'");
  }
  for (const auto& [name, value] : what.substitutions) {
    const bool good = name.size() > 1 && name.front() == '_' && std::ranges::all_of(name, [](char c) {
                        return is_upper(c) || is_digit(c) || c == '_';
                      });
    if (!good) return refuse("substitution \"" + name + "\": '_' and then capitals, digits and '_'");
  }
  constexpr std::array<std::string_view, 4> networks{"", "default", "none", "host"};
  if (what.buildkit && std::ranges::find(networks, what.network) == networks.end())
    return refuse("BuildKit has the networks default, none and host, not " + what.network);
  if (what.disk_gb < 0 || what.disk_gb > 4000) return refuse("the disk of a build has at most 4000 GB");
  constexpr std::chrono::hours day{24};
  if (what.timeout.count() <= 0 || what.timeout > day || what.queue_ttl.count() <= 0 || what.queue_ttl > day)
    return refuse("the times of a build are from one second to 24 hours");
  if (!what.logs_bucket.empty() && !what.logs_bucket.starts_with("gs://"))
    return refuse("logs bucket \"" + what.logs_bucket + "\": written gs://BUCKET or gs://BUCKET/FOLDER");
  return {};
}

std::string write_build(const build_place& where, const build_request& what, std::string_view unique_tag) {
  return build_writer(where, what).write(unique_tag);
}

api_call create_build(std::string_view base, const build_place& where, const build_request& what,
                      std::string_view unique_tag) {
  api_call call = build_call("POST", builds_url(base, where), "cloudbuild.builds.create",
                             "roles/cloudbuild.builds.editor", where);
  return call.json(write_build(where, what, unique_tag));
}

api_call get_build(std::string_view base, const build_place& where, std::string_view id) {
  return build_call("GET", builds_url(base, where) + '/' + escape_path_segment(id), "cloudbuild.builds.get",
                    "roles/cloudbuild.builds.viewer", where);
}

api_call cancel_build(std::string_view base, const build_place& where, std::string_view id) {
  api_call call = build_call("POST", builds_url(base, where) + '/' + escape_path_segment(id) + ":cancel",
                             "cloudbuild.builds.update", "roles/cloudbuild.builds.editor", where);
  return call.json("{}");
}

api_call retry_build(std::string_view base, const build_place& where, std::string_view id) {
  api_call call = build_call("POST", builds_url(base, where) + '/' + escape_path_segment(id) + ":retry",
                             "cloudbuild.builds.create", "roles/cloudbuild.builds.editor", where);
  return call.json("{}");
}

api_call list_builds(std::string_view base, const build_place& where, std::string_view filter, int page_size,
                     std::string_view page_token) {
  parameters query;
  query.add("pageSize", std::to_string(page_size));
  if (!filter.empty()) query.add("filter", filter);
  if (!page_token.empty()) query.add("pageToken", page_token);
  return build_call("GET", builds_url(base, where) + '?' + query.text(), "cloudbuild.builds.list",
                    "roles/cloudbuild.builds.viewer", where);
}

std::string filter_of_tag(std::string_view tag) { return "tags=\"" + std::string(tag) + '"'; }

result<build_record> read_build(json::value build, diagnostics& why) {
  build_record found;
  found.id = build.find("id").string_or_empty();
  if (found.id.empty()) {
    why.set_client_message("Cloud Build answered without a build");
    return errc::unexpected_answer;
  }
  found.project = build.find("projectId").string_or_empty();
  // "projects/P/locations/R/builds/ID"
  const std::string_view name = build.find("name").string_or_empty();
  if (const std::size_t at = name.find("/locations/"); at != name.npos) {
    const std::string_view rest = name.substr(at + 11);
    found.region = rest.substr(0, rest.find('/'));
  }
  found.status_text = build.find("status").string_or_empty();
  found.status = status_of(found.status_text);
  found.status_detail = build.find("statusDetail").string_or_empty();
  found.log_url = build.find("logUrl").string_or_empty();
  found.logs_bucket = build.find("logsBucket").string_or_empty();
  found.create_time = build.find("createTime").string_or_empty();
  found.start_time = build.find("startTime").string_or_empty();
  found.finish_time = build.find("finishTime").string_or_empty();
  const json::value failure = build.find("failureInfo");
  found.failure_type = failure.find("type").string_or_empty();
  found.failure_detail = failure.find("detail").string_or_empty();
  for (const json::value one : build.find("warnings").elements())
    found.warnings.emplace_back(one.find("text").string_or_empty());
  for (const json::value one : build.find("results").find("images").elements()) {
    pushed_image image;
    image.name = one.find("name").string_or_empty();
    image.digest = one.find("digest").string_or_empty();
    found.images.push_back(std::move(image));
  }
  found.tags = texts_of(build.find("tags"));
  for (const json::value step : build.find("steps").elements()) {
    found.step_names.emplace_back(step.find("id").exists() ? step.find("id").string_or_empty()
                                                           : step.find("name").string_or_empty());
    found.step_statuses.emplace_back(step.find("status").string_or_empty());
    const auto exit_code = step.find("exitCode").as_int();
    const bool allowed = step.find("allowFailure").as_bool().value_or(false);
    if (exit_code && *exit_code != 0 && !allowed) found.exit_code = static_cast<int>(*exit_code);
  }
  return found;
}

result<build_record> read_build(std::string_view answer, diagnostics& why) {
  const auto parsed = json::parse(answer);
  auto found = read_build(parsed ? parsed->root() : json::value(), why);
  if (found) found->raw = answer;
  return found;
}

result<build_record> read_operation(std::string_view answer, diagnostics& why) {
  const auto parsed = json::parse(answer);
  const json::value root = parsed ? parsed->root() : json::value();
  json::value build = root.find("metadata").find("build");
  if (!build.is_object()) build = root.find("response");
  return read_build(build, why);
}

result<build_page> read_build_page(std::string_view answer, diagnostics& why) {
  build_page page;
  const auto parsed = json::parse(answer);
  if (!parsed || !parsed->root().is_object()) {
    why.set_client_message("Cloud Build answered with something else than a list of builds");
    return errc::unexpected_answer;
  }
  for (const json::value one : parsed->root().find("builds").elements()) {
    auto build = read_build(one, why);
    if (!build) return build.error();
    page.builds.push_back(std::move(*build));
  }
  page.next = parsed->root().find("nextPageToken").string_or_empty();
  return page;
}

log_place log_of(const build_record& build) {
  log_place place;
  constexpr std::string_view scheme = "gs://";
  std::string_view bucket = build.logs_bucket;
  if (bucket.starts_with(scheme)) bucket.remove_prefix(scheme.size());
  const std::size_t slash = bucket.find('/');
  if (bucket.empty() || slash == 0) return place;
  std::string_view folder = slash == bucket.npos ? std::string_view() : bucket.substr(slash + 1);
  while (folder.ends_with('/')) folder.remove_suffix(1);
  place.bucket = bucket.substr(0, slash);
  place.object = (folder.empty() ? "" : std::string(folder) + '/') + "log-" + build.id + ".txt";
  return place;
}

int docker_step_of(const build_record& build) {
  const auto found = std::ranges::find(build.step_names, build_step_id);
  if (found != build.step_names.end()) return static_cast<int>(found - build.step_names.begin());
  return build.step_names.empty() ? 0 : static_cast<int>(build.step_names.size()) - 1;
}

}  // namespace dockline::gcp
