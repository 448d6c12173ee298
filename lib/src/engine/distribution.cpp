#include "dockline/engine/distribution.hpp"

#include "engine/answer_fields.hpp"
#include "engine/answers.hpp"
#include "engine/one_answer.hpp"
#include "engine/transfer_requests.hpp"

namespace dockline::engine {

distribution_info read_distribution(json_answer& answered) {
  const json::value descriptor = answered.root().find("Descriptor");
  distribution_info found;
  found.media_type = text_of(descriptor, "mediaType");
  found.digest = text_of(descriptor, "digest");
  found.size = number_of(descriptor, "size");
  for (const json::value one : answered.root().find("Platforms").elements()) {
    std::string platform = text_of(one, "os") + "/" + text_of(one, "architecture");
    if (const std::string variant = text_of(one, "variant"); !variant.empty()) platform += "/" + variant;
    found.platforms.push_back(std::move(platform));
  }
  return found;
}

void start_distribution_inspect(client daemon, std::string name, registry_auth auth, diagnostics* why,
                                completion_handler<distribution_info> handler) {
  start_ask_versioned<distribution_info>(
      daemon,
      [name = std::move(name), auth = std::move(auth)](api_version version, diagnostics& words) {
        return requests::distribution_inspect(name, auth, version, words);
      },
      &read_distribution, why, std::move(handler));
}

}  // namespace dockline::engine
