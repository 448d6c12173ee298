#include "gcp/token_requests.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"
#include "gcp/google_error.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace dockline::gcp {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view usual_metadata_host = "metadata.google.internal";
// What a server that does not say gives: OAuth leaves it to its documentation, which says an hour.
constexpr std::chrono::seconds usual_lifetime{3600};
// What a service may say beyond these would not fit the clock, which counts nanoseconds.
constexpr std::int64_t longest_lifetime = 10 * 365 * 24 * 3600;
constexpr std::int64_t year_2200 = 7'258'118'400;  // seconds since 1970
// From here on a clock is what is wrong: the bound that Google's servers have for a token's times.
constexpr std::chrono::minutes clock_tolerance{5};

std::string basic(const std::string& user, const std::string& password) {
  return "Basic " + encode_base64(escape_query(user) + ':' + escape_query(password));
}

// A number, also one that is written as a string.
std::optional<std::int64_t> number_of(json::value where) {
  if (const auto number = where.as_int()) return number;
  const auto text = where.as_string();
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (code != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

// A text of an answer; empty where there is none.
std::string text_in(std::string_view body, std::string_view key) {
  const auto parsed = json::parse(body);
  return std::string(parsed ? parsed->root().find(key).string_or_empty() : std::string_view());
}

}  // namespace

parameters& parameters::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += escape_query(name) + '=' + escape_query(value);
  return *this;
}

api_call exchange_assertion(const service_account& who, std::string_view assertion) {
  api_call call("POST", who.token_url);
  parameters form;
  form.add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer").add("assertion", assertion);
  return call.form(form.text());
}

api_call refresh_user(const authorized_user& who) {
  api_call call("POST", who.token_url);
  parameters form;
  form.add("grant_type", "refresh_token").add("refresh_token", who.refresh_token);
  if (who.by_workforce) {
    call.with("Authorization", basic(who.client_id, who.client_secret));
  } else {
    form.add("client_id", who.client_id).add("client_secret", who.client_secret);
  }
  return call.form(form.text());
}

api_call exchange_subject(const external_account& who, std::string_view subject, std::string_view scope) {
  api_call call("POST", who.token_url);
  parameters form;
  form.add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
      .add("audience", who.audience)
      .add("scope", scope)
      .add("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
      .add("subject_token", subject)
      .add("subject_token_type", who.subject_token_type);
  if (!who.client_id.empty()) {
    call.with("Authorization", basic(who.client_id, who.client_secret));
  } else if (!who.workforce_project.empty()) {
    json::writer options;
    options.begin_object().key("userProject").string(who.workforce_project).end_object();
    form.add("options", options.text());
  }
  return call.form(form.text());
}

api_call impersonate(const std::string& url, const std::vector<std::string>& delegates,
                     std::string_view scope, std::chrono::seconds lifetime, std::string_view token) {
  json::writer out;
  out.begin_object().key("delegates").begin_array();
  for (const auto& one : delegates)
    out.string(one.find('/') == one.npos ? "projects/-/serviceAccounts/" + one : one);
  out.end_array().key("scope").begin_array();
  while (!scope.empty()) {
    const std::size_t blank = scope.find(' ');
    out.string(scope.substr(0, blank));
    scope.remove_prefix(blank == scope.npos ? scope.size() : blank + 1);
  }
  out.end_array().key("lifetime").string(std::to_string(lifetime.count()) + "s").end_object();
  api_call call("POST", url);
  call.with("Authorization", "Bearer " + std::string(token));
  return call.json(out.take());
}

api_call ask_metadata(std::string_view host, std::string_view path) {
  const std::string where(host.empty() ? usual_metadata_host : host);
  api_call call("GET", "http://" + where + "/computeMetadata/v1/" + std::string(path));
  return call.with("Metadata-Flavor", "Google");
}

api_call metadata_token(std::string_view host, std::string_view scope) {
  std::string scopes(scope);
  for (char& c : scopes) c = c == ' ' ? ',' : c;
  return ask_metadata(host, "instance/service-accounts/default/token?scopes=" + escape_query(scopes));
}

std::string project_number(const external_account& who) {
  constexpr std::string_view pool = "//iam.googleapis.com/projects/";
  std::string_view rest = who.audience;
  if (!rest.starts_with(pool)) return {};
  rest.remove_prefix(pool.size());
  const std::string_view number = rest.substr(0, rest.find('/'));
  return std::ranges::all_of(number, &is_digit) ? std::string(number) : std::string();
}

bool is_host_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  const auto belongs = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, belongs);
}

std::string read_project_id(std::string_view body) { return text_in(body, "projectId"); }

std::string read_next_refresh_token(std::string_view body) { return text_in(body, "refresh_token"); }

result<access_token> read_token(std::string_view body, clock_time now, diagnostics& why) {
  const auto parsed = json::parse(body);
  const json::value root = parsed ? parsed->root() : json::value();
  access_token found;
  found.value = root.find("access_token").string_or_empty();
  if (found.value.empty()) {
    why.set_client_message("the token's server answered without a token");
    return errc::unexpected_answer;
  }
  found.expires =
      now + std::chrono::seconds(std::clamp<std::int64_t>(
                number_of(root.find("expires_in")).value_or(usual_lifetime.count()), 0, longest_lifetime));
  return found;
}

result<access_token> read_impersonated(std::string_view body, diagnostics& why) {
  const auto parsed = json::parse(body);
  const json::value root = parsed ? parsed->root() : json::value();
  access_token found;
  found.value = root.find("accessToken").string_or_empty();
  const auto expires = parse_rfc3339(root.find("expireTime").string_or_empty());
  if (found.value.empty() || !expires) {
    why.set_client_message("the impersonation was answered without a token");
    return errc::unexpected_answer;
  }
  found.expires = *expires;
  return found;
}

bool may_pass(const api_answer& refusal) {
  if (is_transient(refusal.status())) return true;
  const google_error told = read_google_error(refusal.body);
  for (const auto known : {"internal_failure", "server_error", "temporarily_unavailable"})
    if (told.reason == known || told.message == known) return true;
  return false;
}

error_code explain_refusal(const credential_source& who, const api_answer& refusal, clock_time now,
                           diagnostics& why) {
  const google_error told = read_google_error(refusal.body);
  why.clear();
  const std::string whose =
      "no access token for the " + credentials(std::make_shared<const credential_source>(who)).description();
  std::string cure;
  if (const auto date = parse_http_date(refusal.head.find("Date"))) {
    const auto ahead = std::chrono::round<std::chrono::minutes>(now - *date);
    if (ahead > clock_tolerance || ahead < -clock_tolerance) {
      cure = "; this machine's clock is " + std::to_string(std::abs(ahead.count())) + " minutes " +
             (ahead > 0min ? "ahead of" : "behind") + " the server's: set it right";
    }
  }
  if (cure.empty() && std::holds_alternative<authorized_user>(who.who)) {
    const bool again = told.reason == "invalid_grant" || told.reason == "invalid_client";
    if (again) cure = "; run: gcloud auth application-default login";
  } else if (cure.empty() && std::holds_alternative<service_account>(who.who) &&
             told.reason == "invalid_grant") {
    cure = "; is the key still there, and the account enabled? gcloud iam service-accounts keys list";
  } else if (cure.empty() && refusal.status() == 403 &&
             (std::holds_alternative<impersonation>(who.who) ||
              std::holds_alternative<external_account>(who.who))) {
    cure = "; it needs the role roles/iam.serviceAccountTokenCreator on that account";
  } else if (cure.empty() && refusal.status() == 404 && std::holds_alternative<metadata_server>(who.who)) {
    cure = "; the machine has no service account";
  }
  std::string said = told.reason.empty() ? "status " + std::to_string(refusal.status()) : told.reason;
  why.set_client_message(whose + ": " + said + cure);
  if (told.message != told.reason) why.set_server_message(told.message);
  return errc::token_refused;
}

result<std::string> read_subject(std::string_view text, const token_format& format, std::string_view where,
                                 diagnostics& why) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message(std::string(where) + ": " + reason);
    return errc::bad_configuration;
  };
  std::string token;
  if (format.json) {
    const auto parsed = json::parse(text);
    if (!parsed) return refuse("not JSON");
    token = parsed->root().find(format.field).string_or_empty();
    if (token.empty()) return refuse("has no \"" + format.field + '"');
  } else {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
    token = text;
    if (token.empty()) return refuse("is empty");
  }
  return token;
}

aws_keys read_aws_keys(std::string_view body) {
  const auto parsed = json::parse(body);
  const json::value root = parsed ? parsed->root() : json::value();
  aws_keys keys;
  keys.access_key = root.find("AccessKeyId").string_or_empty();
  keys.secret_key = root.find("SecretAccessKey").string_or_empty();
  keys.session_token = root.find("Token").string_or_empty();
  return keys;
}

result<program_token> read_program_answer(std::string_view text, std::string_view subject_type,
                                          diagnostics& why) {
  const auto refuse = [&](const std::string& reason) {
    why.set_client_message("the credentials' program " + reason);
    return errc::bad_configuration;
  };
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->root().is_object()) return refuse("printed no JSON object");
  const json::value root = parsed->root();
  if (root.find("version").as_int() != 1) return refuse("answers in a version that is not known here");
  const auto success = root.find("success").as_bool();
  if (!success) return refuse("does not say whether it succeeded");
  if (!*success) {
    refuse("failed with the code " + std::string(root.find("code").string_or_empty()));
    why.set_server_message(std::string(root.find("message").string_or_empty()));
    return errc::token_refused;
  }
  const auto type = root.find("token_type").string_or_empty();
  if (type != subject_type) return refuse("gave a token of another type than the credentials say");
  program_token found;
  const bool saml = type == "urn:ietf:params:oauth:token-type:saml2";
  found.token = root.find(saml ? "saml_response" : "id_token").string_or_empty();
  if (found.token.empty()) return refuse("gave no token");
  if (const auto expires = number_of(root.find("expiration_time")))
    found.expires = clock_time(std::chrono::seconds(std::clamp<std::int64_t>(*expires, 0, year_2200)));
  return found;
}

std::optional<clock_time> parse_http_date(std::string_view text) {
  // Not by strptime(), which reads the names of months in the program's own language.
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = months.find(text.substr(8, 3));
  if (month == months.npos || month % 3 != 0) return std::nullopt;
  std::string iso(text.substr(12, 4));
  const std::string number = std::to_string(month / 3 + 1);
  iso += (number.size() == 1 ? "-0" : "-") + number + '-' + std::string(text.substr(5, 2)) + 'T';
  iso += std::string(text.substr(17, 8)) + 'Z';
  return parse_rfc3339(iso);
}

}  // namespace dockline::gcp
