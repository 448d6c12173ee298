#include "dockline/core/diagnostics.hpp"
#include "dockline/gcp/credentials.hpp"

#include "gcp/credential_source.hpp"
#include "gcp/jwt.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <utility>

namespace dockline::gcp {
namespace {

using namespace std::string_view_literals;

// A file of Google's is some kilobytes long, an impersonation is nested once.
constexpr std::size_t longest = std::size_t{1} << 20;
constexpr std::size_t deepest = 16;

constexpr auto sts_url = "https://sts.googleapis.com/v1/token"sv;
constexpr auto allow_programs = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"sv;
// How long a program may be given.
constexpr std::int64_t shortest_timeout = 5'000;
constexpr std::int64_t longest_timeout = 120'000;
constexpr std::int64_t usual_timeout = 30'000;

class reader {
 public:
  reader(std::string_view path, const environment& variables, diagnostics& why)
      : path_(path), variables_(variables), why_(why) {}

  result<credential_source> read(json::value root, bool nested = false) {
    const auto type = root.find("type").as_string();
    if (!type) return refuse("\"type\" is missing: no credentials file of Google's");
    credential_source found;
    found.path = path_;
    found.project = root.find("project_id").string_or_empty();
    found.quota_project = root.find("quota_project_id").string_or_empty();
    if (const auto universe = root.find("universe_domain").string_or_empty(); !universe.empty())
      found.universe = universe;
    const auto into = [&](auto read) -> result<credential_source> {
      if (!read) return read.error();
      found.who = std::move(*read);
      return std::move(found);
    };
    if (*type == "service_account") return into(read_service_account(root));
    if (*type == "authorized_user") return into(read_user(root, false));
    if (*type == "external_account_authorized_user") return into(read_user(root, true));
    if (*type == "external_account") return into(read_external(root));
    if (*type == "impersonated_service_account") {
      if (nested) return refuse("an impersonation of an impersonation: name the chain as \"delegates\"");
      return into(read_impersonation(root));
    }
    return refuse("credentials of the type \"" + std::string(*type) + "\" are not known here");
  }

 private:
  error_code refuse(const std::string& reason) {
    why_.set_client_message(path_ + ": " + reason);
    return errc::bad_configuration;
  }

  // A member that has to be there.
  bool take(json::value from, std::string_view key, std::string& into) {
    into = from.find(key).string_or_empty();
    if (!into.empty()) return true;
    refuse('"' + std::string(key) + "\" is missing");
    return false;
  }

  // A URL, or what stands for it where there is none.
  bool take_url(json::value from, std::string_view key, std::string_view usual, std::string& into,
                bool link_local = false) {
    into = from.find(key).string_or_empty();
    if (into.empty()) into = usual;
    if (into.empty()) {
      refuse('"' + std::string(key) + "\" is missing");
      return false;
    }
    return check_token_url(into, path_ + ": \"" + std::string(key) + "\"", link_local, why_).has_value();
  }

  static error_code bad() { return errc::bad_configuration; }

  result<service_account> read_service_account(json::value root) {
    service_account who;
    if (!take(root, "client_email", who.email) || !take(root, "private_key", who.private_key) ||
        !take_url(root, "token_uri", google_token_url, who.token_url))
      return bad();
    who.key_id = root.find("private_key_id").string_or_empty();
    if (!is_signing_key(who.private_key)) return refuse("\"private_key\" is no RSA key in PEM form");
    return who;
  }

  result<authorized_user> read_user(json::value root, bool by_workforce) {
    authorized_user who;
    who.by_workforce = by_workforce;
    const auto usual = by_workforce ? "https://sts.googleapis.com/v1/oauthtoken"sv : google_token_url;
    if (!take(root, "client_id", who.client_id) || !take(root, "client_secret", who.client_secret) ||
        !take(root, "refresh_token", who.refresh_token) ||
        !take_url(root, by_workforce ? "token_url" : "token_uri", usual, who.token_url))
      return bad();
    return who;
  }

  result<token_format> read_format(json::value from) {
    token_format format;
    const auto type = from.find("type").as_string().value_or("text");
    if (type == "text") return format;
    if (type != "json") return refuse("\"format\": \"type\" is text or json");
    format.json = true;
    if (!take(from, "subject_token_field_name", format.field)) return bad();
    return format;
  }

  result<subject_source> read_program(json::value from, const external_account& who) {
    if (value_of(variables_, allow_programs) != "1")
      return refuse("it names a program to run, which is allowed only with " + std::string(allow_programs) +
                    "=1");
    subject_program program;
    std::string command;
    if (!take(from, "command", command)) return bad();
    auto arguments = split_command(command);
    if (!arguments || arguments->empty()) return refuse("\"command\" cannot be read as one");
    program.arguments = std::move(*arguments);
    const std::int64_t timeout = from.find("timeout_millis").as_int().value_or(usual_timeout);
    if (timeout < shortest_timeout || timeout > longest_timeout)
      return refuse("\"timeout_millis\" is from 5000 to 120000");
    program.timeout = std::chrono::milliseconds(timeout);
    program.output_file = from.find("output_file").string_or_empty();
    auto variables = variables_;
    variables["GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"] = who.audience;
    variables["GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"] = who.subject_token_type;
    variables["GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE"] = "0";
    variables["GOOGLE_EXTERNAL_ACCOUNT_REVOKE"] = "0";
    if (!program.output_file.empty()) variables["GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"] = program.output_file;
    if (const auto email = impersonated(who.impersonation_url); !email.empty())
      variables["GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL"] = email;
    for (const auto& [name, value] : variables) program.environment.push_back(name + '=' + value);
    return subject_source(std::move(program));
  }

  // Whom "…/serviceAccounts/EMAIL:generateAccessToken" is about.
  static std::string impersonated(std::string_view url) {
    const std::size_t slash = url.rfind('/');
    const std::size_t colon = url.rfind(':');
    if (slash == url.npos || colon == url.npos || colon < slash) return {};
    return std::string(url.substr(slash + 1, colon - slash - 1));
  }

  result<subject_source> read_aws(json::value from) {
    if (from.find("environment_id").string_or_empty() != "aws1")
      return refuse("\"environment_id\": only aws1 is known");
    subject_aws aws;
    if (!take(from, "regional_cred_verification_url", aws.verification_url)) return bad();
    std::string filled = aws.verification_url;
    if (const std::size_t place = filled.find("{region}"); place != filled.npos)
      filled.replace(place, 8, "region");
    const std::string name = path_ + ": \"regional_cred_verification_url\"";
    if (!check_token_url(filled, name, false, why_)) return bad();
    for (const auto& [key, into] :
         {std::pair("region_url"sv, &aws.region_url), std::pair("url"sv, &aws.security_url),
          std::pair("imdsv2_session_token_url"sv, &aws.session_url)}) {
      if (from.find(key).string_or_empty().empty()) continue;
      if (!take_url(from, key, "", *into, true)) return bad();
    }
    aws.region = value_of(variables_, "AWS_REGION");
    if (aws.region.empty()) aws.region = value_of(variables_, "AWS_DEFAULT_REGION");
    aws.access_key = value_of(variables_, "AWS_ACCESS_KEY_ID");
    aws.secret_key = value_of(variables_, "AWS_SECRET_ACCESS_KEY");
    aws.session_token = value_of(variables_, "AWS_SESSION_TOKEN");
    return subject_source(std::move(aws));
  }

  result<subject_source> read_subject(json::value from, const external_account& who) {
    if (!from.is_object()) return refuse("\"credential_source\" is missing");
    if (from.find("environment_id").exists()) return read_aws(from);
    if (from.find("executable").is_object()) return read_program(from.find("executable"), who);
    auto format = read_format(from.find("format"));
    if (!format) return format.error();
    if (const auto file = from.find("file").string_or_empty(); !file.empty()) {
      subject_file subject;
      subject.path = file;
      subject.format = *format;
      return subject_source(std::move(subject));
    }
    subject_url subject;
    subject.format = *format;
    if (!from.find("url").is_string())
      return refuse("\"credential_source\" names neither a file nor a url, an executable or AWS");
    if (!take_url(from, "url", "", subject.url, true)) return bad();
    for (const json::member field : from.find("headers").members())
      subject.fields.emplace_back(field.name, field.value.string_or_empty());
    return subject_source(std::move(subject));
  }

  result<external_account> read_external(json::value root) {
    external_account who;
    if (!take(root, "audience", who.audience) || !take(root, "subject_token_type", who.subject_token_type) ||
        !take_url(root, "token_url", sts_url, who.token_url))
      return bad();
    who.client_id = root.find("client_id").string_or_empty();
    who.client_secret = root.find("client_secret").string_or_empty();
    who.workforce_project = root.find("workforce_pool_user_project").string_or_empty();
    if (root.find("service_account_impersonation_url").exists() &&
        !take_url(root, "service_account_impersonation_url", "", who.impersonation_url))
      return bad();
    who.lifetime = std::chrono::seconds(root.find("service_account_impersonation")
                                            .find("token_lifetime_seconds")
                                            .as_int()
                                            .value_or(who.lifetime.count()));
    auto subject = read_subject(root.find("credential_source"), who);
    if (!subject) return subject.error();
    who.subject = std::move(*subject);
    return who;
  }

  result<impersonation> read_impersonation(json::value root) {
    impersonation who;
    if (!take_url(root, "service_account_impersonation_url", "", who.url)) return bad();
    for (const json::value one : root.find("delegates").elements())
      who.delegates.emplace_back(one.string_or_empty());
    const json::value source = root.find("source_credentials");
    if (!source.is_object()) return refuse("\"source_credentials\" is missing");
    auto read_source = read(source, true);
    if (!read_source) return read_source.error();
    who.source = std::make_shared<const credential_source>(std::move(*read_source));
    return who;
  }

  std::string path_;
  const environment& variables_;
  diagnostics& why_;
};

}  // namespace

result<void> check_token_url(std::string_view url, std::string_view name, bool link_local, diagnostics& why) {
  const auto where = http::parse_url(url, why);
  if (!where) {
    why.set_client_message(std::string(name) + ": " + why.client_message());
    return errc::bad_configuration;
  }
  if (where->secure || where->is_loopback()) return {};
  const auto& host = where->host;
  if (link_local &&
      (host == "169.254.169.254" || host == "fd00:ec2::254" || host == "metadata.google.internal"))
    return {};
  why.set_client_message(std::string(name) + ": secrets are sent to https:// only, this is http://" + host);
  return errc::bad_configuration;
}

std::optional<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (quote == '"' && c == '\\' && i + 1 < text.size() &&
                 "\"\\$`"sv.find(text[i + 1]) != std::string_view::npos) {
        word += text[++i];
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      inside = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      word += text[++i];
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (inside) words.push_back(std::exchange(word, {}));
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) return std::nullopt;
  if (inside) words.push_back(std::move(word));
  return words;
}

result<credentials> parse_credentials(std::string_view text, std::string_view path,
                                      const environment& variables, diagnostics& why) {
  json::limits bounds;
  bounds.bytes = longest;
  bounds.depth = deepest;
  const auto parsed = json::parse(text, bounds);
  if (!parsed || !parsed->root().is_object()) {
    why.set_client_message(std::string(path) + ": not a JSON object");
    return errc::bad_configuration;
  }
  auto found = reader(path, variables, why).read(parsed->root());
  if (!found) return found.error();
  return credentials(std::make_shared<const credential_source>(std::move(*found)));
}

}  // namespace dockline::gcp
