#pragma once

// The request by which a workload at AWS shows who it is: signed, but sent by Google's token server and not
// by us. Without I/O.

#include "gcp/jwt.hpp"

#include <string>
#include <string_view>

namespace dockline {
class diagnostics;
}

namespace dockline::gcp {

struct aws_keys {
  aws_keys() = default;

  std::string access_key;
  std::string secret_key;
  std::string session_token;  // empty: long-lived keys
};

// The subject token: a GetCallerIdentity at `url` (its {region} filled in), signed by Signature Version 4 and
// bound to `audience`, as URL-quoted JSON. Errors: errc::bad_configuration for a URL that is none.
// Source: AWS General Reference, "Signature Version 4 signing process"; AIP-4117.
result<std::string> sign_aws_request(const aws_keys& keys, std::string_view url, std::string_view region,
                                     std::string_view audience, clock_time now, diagnostics& why);

}  // namespace dockline::gcp
