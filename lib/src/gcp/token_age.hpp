#pragma once

#include "dockline/gcp/credentials.hpp"

#include <algorithm>
#include <chrono>

namespace dockline::gcp {

// A token that is kept, and when it came.
struct kept_token {
  kept_token() = default;

  access_token token;
  std::chrono::system_clock::time_point since;
};

// Whether a kept token is given out: as it is, while a new one is asked for, or not at all.
enum class token_age { fresh, aging, expired };

// Renewed four minutes early, as Google's own libraries do it; a token that has no such time to begin with
// (metadata servers give out what is left of theirs) in the last quarter of its life: a margin longer than
// the life would be a request for each use.
inline token_age age_of(const kept_token& kept, std::chrono::system_clock::time_point now) {
  using namespace std::chrono_literals;
  const auto life = kept.token.expires - kept.since;
  const auto margin = std::min<std::chrono::system_clock::duration>(225s, life / 4);
  // What is sent has to be good still when it arrives.
  const auto transit = std::min<std::chrono::system_clock::duration>(10s, life / 8);
  if (now >= kept.token.expires - transit) return token_age::expired;
  // A clock that was set back says nothing of a token's age.
  if (now + 1h < kept.since) return token_age::expired;
  return now >= kept.token.expires - margin ? token_age::aging : token_age::fresh;
}

}  // namespace dockline::gcp
