#pragma once

// What a credentials file holds, read and checked, without I/O.

#include "dockline/gcp/client.hpp"

#include "core/json.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dockline::gcp {

inline constexpr std::string_view google_universe = "googleapis.com";
inline constexpr std::string_view google_token_url = "https://oauth2.googleapis.com/token";

// A key of a service account.
struct service_account {
  service_account() = default;

  std::string email;
  std::string private_key;  // PEM
  std::string key_id;
  std::string token_url;
};

// What a person allowed once.
struct authorized_user {
  authorized_user() = default;

  std::string client_id;
  std::string client_secret;
  std::string refresh_token;
  std::string token_url;
  // external_account_authorized_user: the client goes into the Authorization field, and the answer may bring
  // another refresh token.
  bool by_workforce = false;
};

// How a subject token stands in what was read.
struct token_format {
  token_format() = default;

  bool json = false;
  std::string field;  // of the JSON object
};

// Where the token of another identity provider comes from.
struct subject_file {
  subject_file() = default;

  std::string path;
  token_format format;
};
struct subject_url {
  subject_url() = default;

  std::string url;
  std::vector<std::pair<std::string, std::string>> fields;
  token_format format;
};
struct subject_program {
  subject_program() = default;

  std::vector<std::string> arguments;
  std::chrono::milliseconds timeout{30'000};
  std::string output_file;               // where it keeps its last answer; empty: nowhere
  std::vector<std::string> environment;  // "NAME=value" each
};
struct subject_aws {
  subject_aws() = default;

  std::string region_url;
  std::string security_url;
  std::string verification_url;  // with {region}
  std::string session_url;       // IMDSv2; empty: without
  // What the environment has of AWS's; empty: asked for.
  std::string region;
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};
using subject_source = std::variant<subject_file, subject_url, subject_program, subject_aws>;

// A workload of another identity provider.
struct external_account {
  external_account() = default;

  std::string audience;
  std::string subject_token_type;
  std::string token_url;
  std::string client_id;
  std::string client_secret;
  std::string workforce_project;
  std::string impersonation_url;  // empty: none
  std::chrono::seconds lifetime{3600};
  subject_source subject;
};

// Somebody who may act as a service account.
struct impersonation {
  impersonation() = default;

  std::string url;
  std::vector<std::string> delegates;
  std::shared_ptr<const credential_source> source;
};

// The machine's own service account.
struct metadata_server {
  metadata_server() = default;
};

// No token at all.
struct nobody {
  nobody() = default;
};

struct credential_source {
  credential_source() = default;

  std::variant<nobody, metadata_server, service_account, authorized_user, external_account, impersonation>
      who;
  std::string path;
  std::string project;
  std::string quota_project;
  std::string universe{google_universe};
};

// That nobody asks where somebody has to, and what to run: errc::no_credentials.
error_code none_found(diagnostics& why);

// Whether a token may be asked for at this URL, or an answer for it read there: https, or http on this
// machine. With `link_local`, also the addresses at which clouds tell a machine about itself. Errors:
// errc::bad_configuration; the words start with `name`.
result<void> check_token_url(std::string_view url, std::string_view name, bool link_local, diagnostics& why);

// The value of "key = value" in a section of an INI file, as gcloud's settings are; empty where there is none.
std::string ini_value(std::string_view text, std::string_view section, std::string_view key);

// The text as arguments of a program: parted at blanks, but not inside quotes, as a shell would. Empty for a
// quote that is never closed.
std::optional<std::vector<std::string>> split_command(std::string_view text);

}  // namespace dockline::gcp
