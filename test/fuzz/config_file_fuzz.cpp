// Whatever config.json holds, it is read or refused, the refusal has words, and no value of it is among them.

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/config_file.hpp"

#include "engine/credential_helper.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dockline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  diagnostics why;
  const auto settings = engine::parse_config_file(text, "config.json", why);
  if (settings.has_value() != why.client_message().empty()) std::abort();
  if (!settings && !why.client_message().starts_with("config.json")) std::abort();
  if (settings) {
    for (const auto& [registry, auth] : settings->auths) {
      if (auth.anonymous() || settings->auth_for(registry) == nullptr) std::abort();
      if (engine::registry_key(engine::registry_key(registry)) != engine::registry_key(registry))
        std::abort();
    }
    for (const auto& [registry, helper] : settings->credential_helpers) settings->helper_for(registry);
  }
  // The same bytes as a helper's answer, of a program that failed and of one that did not.
  for (const int status : {0, 1}) {
    const auto answer = engine::read_helper_answer(status, text, "r");
    if (!answer.failure.empty() && !answer.auth.anonymous()) std::abort();
    if (answer.failure.size() > 1024 || answer.failure.find('\n') != answer.failure.npos) std::abort();
  }
  return 0;
}
