#pragma once

#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/gcp/environment.hpp"
#include "dockline/http/exchange_event.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace dockline::gcp {

// How often, and how long, what failed for a moment is tried again.
struct retry_options {
  retry_options() = default;

  std::chrono::milliseconds first_delay{1'000};  // before the first repetition; doubled for each further one
  std::chrono::milliseconds longest_delay{32'000};  // what the doubling ends at
  // From the first failure on; progress (bytes of an upload that the server has) begins it anew. Where no
  // connection stands at all, eight seconds at most.
  std::chrono::milliseconds budget{600'000};
};

// How Google is reached.
struct client_options {
  client_options() = default;

  // Where the services are: "https://storage.googleapis.com". Empty: Google's own, in the credentials'
  // universe. "http://" is spoken only where it stands here.
  std::string storage_endpoint;
  // The same for Cloud Build: "https://cloudbuild.googleapis.com".
  std::string cloud_build_endpoint;
  // The same for Resource Manager, which knows the project of an external account:
  // "https://cloudresourcemanager.googleapis.com".
  std::string resource_manager_endpoint;
  // Cloud Build's host of the region of each build, cloudbuild.REGION.rep.googleapis.com, which leads nothing
  // out of it. Not with an endpoint of one's own.
  bool regional_endpoints = false;
  // HOST[:PORT] of the metadata server; empty: metadata.google.internal.
  std::string metadata_host;

  // Whether storage is asked without a token, as emulators are.
  bool anonymous_storage = false;

  // The proxy for https:// URLs, as HTTPS_PROXY has it. This machine is never reached by one.
  std::string https_proxy;
  // The one for http:// URLs, as HTTP_PROXY has it.
  std::string http_proxy;
  // Hosts that are reached without one, separated by commas, as NO_PROXY has them.
  std::string no_proxy;

  // PEM file of the authorities that are known. Empty: those of the system, or of SSL_CERT_FILE and
  // SSL_CERT_DIR.
  std::string ca_file;

  // The project that is worked in where an operation names none; see project_from().
  std::string project;
  // The one where the credentials have none, either; see gcloud_project_from().
  std::string fallback_project;
  // The project that requests are counted for. Empty: as the credentials say, or their own.
  std::string quota_project;

  // What Google's logs call this client.
  std::string user_agent = "dockline/0.1";

  std::chrono::milliseconds connect_timeout{10'000};  // until a connection stands
  std::chrono::milliseconds idle_timeout{60'000};     // without a byte in either direction
  // How often what failed for a moment is tried again.
  retry_options retries;

  // Told of each request and its answer, tokens and sessions masked.
  http::exchange_observer on_exchange;
};

// Options as the environment has them: STORAGE_EMULATOR_HOST (with or without "http://"; without tokens
// then), CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE, _CLOUDBUILD and _CLOUDRESOURCEMANAGER, GCE_METADATA_HOST,
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY (also in lower case), GOOGLE_CLOUD_QUOTA_PROJECT, and the projects of
// project_from() and gcloud_project_from().
DOCKLINE_API client_options client_options_from(const environment& variables);

// The project that the variables name: GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT. It goes before that of the
// credentials. Empty when neither is set.
DOCKLINE_API std::string project_from(const environment& variables);

// The project that gcloud works in: CLOUDSDK_CORE_PROJECT, else the one of its active configuration, which is
// read from its files. It stands behind that of the credentials, as with Google's own libraries. Empty when
// nothing tells it.
DOCKLINE_API std::string gcloud_project_from(const environment& variables);

struct credential_source;

// Who asks; see credentials.hpp for where they come from. Copies share what is behind them.
class DOCKLINE_API credentials {
 public:
  // no_credentials().
  credentials();
  // What parse_credentials() and its like make.
  explicit credentials(std::shared_ptr<const credential_source> source);

  // For people: "service account build@p.iam.gserviceaccount.com", "service account of this machine".
  std::string description() const;
  // The file that they are from; empty where they are from none.
  const std::string& path() const noexcept;
  // What they say of themselves; empty where they do not.
  const std::string& project() const noexcept;
  // The project that requests are counted for, as they say themselves.
  const std::string& quota_project() const noexcept;
  // "googleapis.com" but for clouds that are Google's in somebody else's hands. The metadata server's
  // credentials do not know it: the client asks that server.
  const std::string& universe() const noexcept;

  // What the operations of this library are compiled against; never null.
  const std::shared_ptr<const credential_source>& source() const noexcept { return source_; }

 private:
  std::shared_ptr<const credential_source> source_;
};

// The project that is known without asking anybody: that of the options, of the credentials, or the fallback of
// the options. Empty where none of them has one.
DOCKLINE_API std::string known_project(const client_options& options, const credentials& who);

struct client_state;

// Google Cloud, to be handed to every operation of this folder. Copies share connections and tokens, so
// copying is cheap; an operation keeps what it needs, and all copies may go while it runs.
//
// Thread safety: operations may be started from any thread, and at once; the client serialises them on a
// strand of its own.
class DOCKLINE_API client {
 public:
  // Does no I/O. Operations run on `executor`, handlers without an executor of their own complete there.
  client(boost::asio::any_io_executor executor, credentials who, client_options options = {});

  // The executor that it was made with.
  boost::asio::any_io_executor get_executor() const;
  // The credentials that it was made with.
  const credentials& who() const noexcept;
  // The options that it was made with.
  const client_options& options() const noexcept;

  // What the operations of this library are compiled against.
  const std::shared_ptr<client_state>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<client_state> state_;
};

}  // namespace dockline::gcp
