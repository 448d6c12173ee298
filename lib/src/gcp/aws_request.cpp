#include "gcp/aws_request.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "http/url.hpp"

#include <array>
#include <ctime>
#include <map>

namespace dockline::gcp {
namespace {

// "20260101T000000Z"
std::string format_time(clock_time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

// A query in the order of its names, as the signature wants it.
std::string sorted_query(std::string_view query) {
  std::multimap<std::string, std::string> pairs;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view one = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    const std::size_t equals = one.find('=');
    pairs.emplace(one.substr(0, equals), equals == one.npos ? std::string_view() : one.substr(equals + 1));
  }
  std::string text;
  for (const auto& [name, value] : pairs) text += (text.empty() ? "" : "&") + name + '=' + value;
  return text;
}

}  // namespace

result<std::string> sign_aws_request(const aws_keys& keys, std::string_view url, std::string_view region,
                                     std::string_view audience, clock_time now, diagnostics& why) {
  std::string filled(url);
  if (const std::size_t place = filled.find("{region}"); place != filled.npos)
    filled.replace(place, 8, region);
  const auto where = http::parse_url(filled, why);
  if (!where) return errc::bad_configuration;
  const std::string time = format_time(now);
  const std::string date = time.substr(0, 8);
  // By their names, which is the order that they are signed in.
  std::map<std::string, std::string> fields{{"host", where->authority()}, {"x-amz-date", time}};
  if (!keys.session_token.empty()) fields["x-amz-security-token"] = keys.session_token;
  fields["x-goog-cloud-target-resource"] = audience;

  const std::size_t mark = where->target.find('?');
  const std::string query = mark == std::string::npos ? "" : where->target.substr(mark + 1);
  std::string signed_names;
  std::string canonical = "POST\n" + where->target.substr(0, mark) + '\n' + sorted_query(query) + '\n';
  for (const auto& [name, value] : fields) {
    canonical += name + ':' + value + '\n';
    signed_names += (signed_names.empty() ? "" : ";") + name;
  }
  canonical += '\n' + signed_names + '\n' + encode_hex(sha256(""));

  // The service is the first label of its host: "sts".
  const std::string service = where->host.substr(0, where->host.find('.'));
  const std::string scope = date + '/' + std::string(region) + '/' + service + "/aws4_request";
  const std::string text = "AWS4-HMAC-SHA256\n" + time + '\n' + scope + '\n' + encode_hex(sha256(canonical));
  const std::string key = hmac_sha256(
      hmac_sha256(hmac_sha256(hmac_sha256("AWS4" + keys.secret_key, date), region), service), "aws4_request");
  fields["Authorization"] = "AWS4-HMAC-SHA256 Credential=" + keys.access_key + '/' + scope +
                            ", SignedHeaders=" + signed_names +
                            ", Signature=" + encode_hex(hmac_sha256(key, text));
  fields["x-amz-date"] = time;

  json::writer out;
  out.begin_object().key("url").string(filled).key("method").string("POST").key("headers").begin_array();
  for (const auto& [name, value] : fields)
    out.begin_object().key("key").string(name).key("value").string(value).end_object();
  out.end_array().end_object();
  // As Python's quote(): a space is %20.
  std::string quoted = escape_query(out.text());
  for (std::size_t at = 0; (at = quoted.find('+', at)) != std::string::npos; at += 3)
    quoted.replace(at, 1, "%20");
  return quoted;
}

}  // namespace dockline::gcp
