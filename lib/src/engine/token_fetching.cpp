#include "dockline/engine/token_fetching.hpp"

#include "core/environment_variable.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace dockline::engine {
namespace {

std::string first_of(const char* name, const char* other) {
  std::string value = environment_variable(name);
  return value.empty() ? environment_variable(other) : value;
}

// As Go's strconv.ParseBool, which reads the variable for buildx.
bool is_true(std::string_view text) {
  constexpr std::array<std::string_view, 6> ways = {"1", "t", "T", "true", "TRUE", "True"};
  return std::ranges::find(ways, text) != ways.end();
}

}  // namespace

token_fetching token_fetching_from_environment() {
  token_fetching how;
  how.by_client = !is_true(environment_variable("BUILDKIT_NO_CLIENT_TOKEN"));
  how.https_proxy = first_of("HTTPS_PROXY", "https_proxy");
  how.no_proxy = first_of("NO_PROXY", "no_proxy");
  return how;
}

}  // namespace dockline::engine
