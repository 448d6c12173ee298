// Whose project and which universe the credentials are of, where only a service can tell.

#include "dockline/core/diagnostics.hpp"

#include "gcp/client_state.hpp"
#include "gcp/token_requests.hpp"
#include "gcp/token_source.hpp"

#include <utility>

namespace dockline::gcp {

task<std::string> client_state::ask_universe(diagnostics& why) {
  if (!universe_.empty()) co_return universe_;
  diagnostics ignored;
  auto told = co_await read_metadata(
      shared_from_this(), ask_metadata(options.metadata_host, "universe/universe-domain"), ignored);
  if (!told && told.error() == condition::cancelled) co_return told.error();
  if (!told && told.error() == errc::no_credentials) {
    why = ignored;
    co_return told.error();
  }
  // Servers that do not know the question are Google's own, or stand for them.
  universe_ = told && *told && is_host_name(**told) ? std::move(**told) : std::string(google_universe);
  co_return universe_;
}

task<std::string> client_state::project(diagnostics& why) {
  if (std::string known = known_project(options, who); !known.empty()) co_return known;
  if (project_.empty()) {
    auto told = co_await ask_project(why);
    if (!told) co_return told.error();
    project_ = std::move(*told);
  }
  if (!project_.empty()) co_return project_;
  why.set_client_message(
      "no Google Cloud project: name one, set GOOGLE_CLOUD_PROJECT, or run: gcloud config set project ID");
  co_return errc::invalid_argument;
}

// Empty where nobody knows.
task<std::string> client_state::ask_project(diagnostics& why) {
  if (std::holds_alternative<metadata_server>(who.source()->who)) {
    auto told = co_await read_metadata(shared_from_this(),
                                       ask_metadata(options.metadata_host, "project/project-id"), why);
    if (!told) co_return told.error();
    co_return std::move(*told).value_or(std::string());
  }
  const auto* workload = std::get_if<external_account>(&who.source()->who);
  const std::string number = workload == nullptr ? std::string() : project_number(*workload);
  if (number.empty()) co_return std::string();
  api_call ask("GET", resource_manager_url() + "/v1/projects/" + number);
  ask.service = "Resource Manager";
  ask.permission =
      "resourcemanager.projects.get on the project " + number + " (roles/browser); or name the project";
  auto answer = co_await call(std::move(ask), why);
  if (!answer) {
    if (answer.error() != condition::cancelled)
      why.set_client_message("no project is named, and whose the credentials are cannot be asked: " +
                             why.client_message());
    co_return answer.error();
  }
  co_return read_project_id(answer->body);
}

void start_project_id(client google, diagnostics* why, completion_handler<std::string> handler) {
  auto state = google.state();
  spawn<std::string>(state->strand, why, std::move(handler),
                     [state](diagnostics& words) { return state->project(words); });
}

}  // namespace dockline::gcp
