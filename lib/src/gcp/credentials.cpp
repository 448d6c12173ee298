#include "dockline/gcp/credentials.hpp"

#include "gcp/credential_source.hpp"

#include <utility>

namespace dockline::gcp {
namespace {

// "projects/-/serviceAccounts/EMAIL:generateAccessToken" at the end of a URL.
std::string account_of(std::string_view url) {
  url = url.substr(0, url.rfind(':'));
  return std::string(url.substr(url.rfind('/') + 1));
}

struct describer {
  std::string operator()(const nobody&) const { return "nobody"; }
  std::string operator()(const metadata_server&) const { return "service account of this machine"; }
  std::string operator()(const service_account& who) const { return "service account " + who.email; }
  std::string operator()(const authorized_user&) const { return "user's credentials"; }
  std::string operator()(const external_account& who) const {
    return who.impersonation_url.empty()
               ? "workload identity " + who.audience
               : "workload identity that acts as " + account_of(who.impersonation_url);
  }
  std::string operator()(const impersonation& who) const {
    return credentials(who.source).description() + " that acts as " + account_of(who.url);
  }
};

}  // namespace

credentials::credentials() : source_(std::make_shared<const credential_source>()) {}
credentials::credentials(std::shared_ptr<const credential_source> source) : source_(std::move(source)) {}

std::string credentials::description() const { return std::visit(describer(), source_->who); }
const std::string& credentials::path() const noexcept { return source_->path; }
const std::string& credentials::project() const noexcept { return source_->project; }
const std::string& credentials::quota_project() const noexcept { return source_->quota_project; }
const std::string& credentials::universe() const noexcept { return source_->universe; }

credentials metadata_credentials() {
  auto source = std::make_shared<credential_source>();
  source->who = metadata_server();
  return credentials(std::move(source));
}

credentials no_credentials() { return credentials(); }

}  // namespace dockline::gcp
