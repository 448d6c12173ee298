#pragma once

#include "gcp/api.hpp"

#include <string>

namespace dockline::gcp {

// A request as text: its line, its fields, its body, wherever that lies.
inline std::string text(const api_call& call) {
  std::string all = call.method + ' ' + call.url + '\n';
  for (const auto& [name, value] : call.fields) all += name + ": " + value + '\n';
  all += '\n' + call.body;
  for (const auto& part : call.parts)
    all.append(static_cast<const char*>(part.bytes.data()), part.bytes.size());
  return all;
}

}  // namespace dockline::gcp
