#include "gcp/storage_requests.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"

#include <charconv>
#include <utility>

namespace dockline::gcp {
namespace {

constexpr std::string_view storage = "Cloud Storage";

std::string bucket_url(std::string_view base, std::string_view bucket) {
  return std::string(base) + "/storage/v1/b/" + escape_path_segment(bucket);
}

std::string object_url(std::string_view base, std::string_view bucket, std::string_view object) {
  return bucket_url(base, bucket) + "/o/" + escape_path_segment(object);
}

std::string upload_url(std::string_view base, const upload_options& options, std::string_view type) {
  parameters query;
  query.add("uploadType", type).add("name", options.object);
  if (options.keep_existing) query.add("ifGenerationMatch", "0");
  return std::string(base) + "/upload/storage/v1/b/" + escape_path_segment(options.bucket) + "/o?" +
         query.text();
}

api_call storage_call(std::string method, std::string url) {
  api_call call(std::move(method), std::move(url));
  call.service = storage;
  return call;
}

http::body_part owned(std::string text) {
  const auto kept = std::make_shared<const std::string>(std::move(text));
  return {kept, boost::asio::buffer(*kept)};
}

std::optional<std::uint64_t> whole_number_of(json::value where) {
  if (const auto number = where.as_int(); number && *number >= 0) return static_cast<std::uint64_t>(*number);
  const auto text = where.as_string();
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (code != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

}  // namespace

api_call open_upload_session(std::string_view base, const upload_options& options) {
  api_call call = storage_call("POST", upload_url(base, options, "resumable"));
  json::writer out;
  out.begin_object().key("contentType").string(options.content_type).end_object();
  call.json(out.take());
  return call.with("X-Upload-Content-Type", options.content_type);
}

api_call upload_whole(std::string_view base, const upload_options& options, std::string_view crc32c,
                      std::vector<http::body_part> bytes, std::string boundary) {
  api_call call = storage_call("POST", upload_url(base, options, "multipart"));
  call.with("Content-Type", "multipart/related; boundary=" + boundary);
  json::writer out;
  out.begin_object().key("name").string(options.object).key("contentType").string(options.content_type);
  out.key("crc32c").string(crc32c).end_object();
  call.parts.push_back(owned("--" + boundary + "\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n" +
                             out.text() + "\r\n--" + boundary + "\r\nContent-Type: " + options.content_type +
                             "\r\n\r\n"));
  for (auto& part : bytes) call.parts.push_back(std::move(part));
  call.parts.push_back(owned("\r\n--" + boundary + "--\r\n"));
  return call;
}

api_call continue_upload(const resumable_upload& upload, std::vector<http::body_part> bytes) {
  api_call call = storage_call("PUT", upload.session());
  call.with("Content-Range", upload.content_range());
  // Checked by the service before it makes an object of it.
  if (upload.next() == resumable_upload::step::send && upload.last())
    call.with("x-goog-hash", "crc32c=" + upload.crc32c());
  call.parts = std::move(bytes);
  return call;
}

api_call drop_upload_session(std::string_view session) {
  return storage_call("DELETE", std::string(session)).with("Content-Length", "0");
}

api_call get_object(std::string_view base, std::string_view bucket, std::string_view object) {
  return storage_call("GET", object_url(base, bucket, object));
}

api_call delete_object(std::string_view base, std::string_view bucket, std::string_view object,
                       std::string_view generation) {
  std::string url = object_url(base, bucket, object);
  if (!generation.empty()) {
    parameters query;
    url += '?' + query.add("generation", generation).text();
  }
  return storage_call("DELETE", std::move(url));
}

api_call read_object(std::string_view base, std::string_view bucket, std::string_view object,
                     std::uint64_t from) {
  api_call call = storage_call("GET", object_url(base, bucket, object) + "?alt=media");
  return call.with("Range", "bytes=" + std::to_string(from) + '-');
}

api_call insert_bucket(std::string_view base, const upload_options& options, std::string_view project) {
  parameters query;
  query.add("project", project);
  api_call call = storage_call("POST", std::string(base) + "/storage/v1/b?" + query.text());
  json::writer out;
  out.begin_object().key("name").string(options.bucket);
  if (!options.bucket_location.empty()) out.key("location").string(options.bucket_location);
  out.key("iamConfiguration").begin_object();
  out.key("uniformBucketLevelAccess").begin_object().key("enabled").boolean(true).end_object();
  out.key("publicAccessPrevention").string("enforced").end_object();
  if (options.bucket_lifetime_days > 0) {
    out.key("lifecycle").begin_object().key("rule").begin_array().begin_object();
    out.key("action").begin_object().key("type").string("Delete").end_object();
    out.key("condition").begin_object().key("age").integer(options.bucket_lifetime_days).end_object();
    out.end_object().end_array().end_object();
  }
  out.end_object();
  return call.json(out.take());
}

api_call list_buckets(std::string_view base, std::string_view project, std::string_view prefix) {
  parameters query;
  query.add("project", project).add("prefix", prefix);
  return storage_call("GET", std::string(base) + "/storage/v1/b?" + query.text());
}

bool has_bucket(std::string_view answer, std::string_view bucket) {
  const auto parsed = json::parse(answer);
  if (!parsed) return false;
  for (const json::value one : parsed->root().find("items").elements()) {
    if (one.find("name").string_or_empty() == bucket) return true;
  }
  return false;
}

api_call get_bucket(std::string_view base, std::string_view bucket) {
  return storage_call("GET", bucket_url(base, bucket));
}

stored_bucket read_bucket(std::string_view answer) {
  stored_bucket found;
  const auto parsed = json::parse(answer);
  if (!parsed) return found;
  const json::value root = parsed->root();
  found.name = root.find("name").string_or_empty();
  found.location = root.find("location").string_or_empty();
  if (const auto number = whole_number_of(root.find("projectNumber")))
    found.project_number = std::to_string(*number);
  return found;
}

std::vector<std::string> permissions_for_builds() {
  return {"storage.objects.create", "storage.objects.get", "storage.objects.delete"};
}

api_call test_permissions(std::string_view base, std::string_view bucket,
                          const std::vector<std::string>& permissions) {
  parameters query;
  for (const auto& one : permissions) query.add("permissions", one);
  return storage_call("GET", bucket_url(base, bucket) + "/iam/testPermissions?" + query.text());
}

std::vector<std::string> missing_in(std::string_view answer, const std::vector<std::string>& wanted) {
  std::vector<std::string> missing = wanted;
  const auto parsed = json::parse(answer);
  if (!parsed) return missing;
  for (const json::value held : parsed->root().find("permissions").elements())
    std::erase(missing, held.string_or_empty());
  return missing;
}

object_facts read_object_facts(std::string_view answer) {
  object_facts found;
  const auto parsed = json::parse(answer);
  if (!parsed) return found;
  const json::value root = parsed->root();
  found.size = whole_number_of(root.find("size"));
  found.crc32c = root.find("crc32c").string_or_empty();
  if (const auto generation = whole_number_of(root.find("generation")))
    found.generation = std::to_string(*generation);
  return found;
}

upload_answer read_upload_answer(const api_answer& answer) {
  upload_answer found;
  found.status = answer.status();
  found.location = answer.head.find("Location");
  found.range = answer.head.find("Range");
  found.retry_after = read_retry_after(answer.head.find("Retry-After"));
  if (found.status / 100 == 2) found.object = read_object_facts(answer.body);
  return found;
}

std::optional<std::uint64_t> read_first_byte(std::string_view range) {
  constexpr std::string_view prefix = "bytes ";
  if (!range.starts_with(prefix)) return std::nullopt;
  range.remove_prefix(prefix.size());
  std::uint64_t begin = 0;
  const auto [end, code] = std::from_chars(range.data(), range.data() + range.size(), begin);
  if (code != std::errc() || end == range.data()) return std::nullopt;
  return begin;
}

std::string wrong_bucket_name(const std::string& name) {
  const auto is_letter_or_digit = [](char c) { return is_lower(c) || is_digit(c); };
  if (name.size() < 3) return "shorter than 3 characters";
  if (name.size() > 222) return "longer than 222 characters";
  for (const char c : name) {
    if (!is_letter_or_digit(c) && c != '-' && c != '_' && c != '.')
      return "has something else than lower-case letters, digits, '-', '_' and '.'";
  }
  if (!is_letter_or_digit(name.front()) || !is_letter_or_digit(name.back()))
    return "does not begin and end with a letter or a digit";
  std::string_view rest = name;
  bool address = true;
  int parts = 0;
  for (;;) {
    const std::string_view part = rest.substr(0, rest.find('.'));
    if (part.empty()) return "has two dots in a row";
    if (part.size() > 63) return "has a part of more than 63 characters";
    if (part.front() == '-' || part.back() == '-') return "has a '-' beside a dot";
    address = address && part.find_first_not_of("0123456789") == part.npos;
    ++parts;
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  if (address && parts == 4) return "is an IP address";
  if (name.starts_with("goog")) return "begins with \"goog\"";
  if (name.find("google") != name.npos || name.find("g00gle") != name.npos) return "has \"google\" in it";
  return {};
}

}  // namespace dockline::gcp
