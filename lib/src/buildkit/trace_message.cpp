#include "buildkit/trace_message.hpp"

#include "core/encoding.hpp"

namespace dockline::buildkit {

std::optional<std::string> trace_messages::find(std::string_view message) {
  constexpr std::string_view id = "moby.buildkit.trace";
  // As daemons write it, without parsing it: base64 needs no escapes.
  constexpr std::string_view before = R"({"id":"moby.buildkit.trace","aux":")";
  constexpr std::string_view after = "\"}";
  if (message.starts_with(before) && message.ends_with(after) &&
      message.size() >= before.size() + after.size()) {
    message.remove_prefix(before.size());
    message.remove_suffix(after.size());
    return decode_base64(message);
  }
  if (document_.parse(message)) return std::nullopt;
  const json::value root = document_.root();
  if (root.find("id").string_or_empty() != id) return std::nullopt;
  const auto aux = root.find("aux").as_string();
  return aux ? decode_base64(*aux) : std::nullopt;
}

}  // namespace dockline::buildkit
