#include "dockline/buildkit/secret.hpp"

#include "dockline/core/diagnostics.hpp"

#include "buildkit/refusal.hpp"
#include "core/wipe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

namespace dockline::buildkit {
namespace {

std::string called(const secret& one) { return "secret \"" + one.id() + "\""; }

}  // namespace

struct secret::held {
  explicit held(std::string own) : value(std::move(own)) {}
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  ~held() { wipe(value); }

  std::string value;
};

secret secret::from_file(std::string id, std::string path) {
  secret made;
  made.id_ = std::move(id);
  made.path_ = std::move(path);
  return made;
}

secret secret::from_memory(std::string id, std::string value) {
  secret made;
  made.id_ = std::move(id);
  made.value_ = std::make_shared<const held>(std::move(value));
  // A short text is copied by moving it.
  wipe(value);
  return made;
}

result<secret> secret::from_environment(std::string id, const std::string& variable, diagnostics& why) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr)
    return refuse(why, "secret \"" + id + "\": the environment variable " + variable + " is not set");
  return from_memory(std::move(id), value);
}

const std::string* secret::value() const noexcept { return value_ ? &value_->value : nullptr; }

result<secret> parse_secret(std::string_view text, diagnostics& why) {
  const std::string quoted = "secret \"" + std::string(text) + "\": ";
  std::string id;
  std::string source;
  std::string variable;
  std::string type;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::string_view value = equals == part.npos ? std::string_view() : part.substr(equals + 1);
    if (key == "id") {
      id = value;
    } else if (key == "src" || key == "source") {
      source = value;
    } else if (key == "env") {
      variable = value;
    } else if (key == "type") {
      type = value;
    } else {
      return refuse(why, quoted + "\"" + std::string(part) + "\" is none of id=, src=, env= and type=");
    }
    if (value.empty()) return refuse(why, quoted + "nothing follows \"" + std::string(key) + "\"");
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (id.empty()) return refuse(why, quoted + "it has no id=");
  if (!type.empty() && type != "file" && type != "env")
    return refuse(why, quoted + "the type is file or env");
  if (!variable.empty() && (!source.empty() || type == "file"))
    return refuse(why, quoted + "it comes from a file or from the environment, not from both");
  if (type == "env" && variable.empty()) variable = source.empty() ? id : source;
  if (!variable.empty()) return secret::from_environment(id, variable, why);
  if (source.empty() && type.empty() && std::getenv(id.c_str()) != nullptr)
    return secret::from_environment(id, id, why);
  std::string path = source.empty() ? id : source;
  return secret::from_file(std::move(id), std::move(path));
}

result<void> check_secrets(const std::vector<secret>& secrets, diagnostics& why) {
  std::set<std::string> ids;
  const auto too_long = [&](const secret& one) {
    return refuse(why, called(one) + ": it is longer than the " + std::to_string(longest_secret) +
                           " bytes that BuildKit takes");
  };
  for (const secret& one : secrets) {
    if (one.id().empty()) return refuse(why, "secret: it has no id");
    if (!ids.insert(one.id()).second) return refuse(why, called(one) + ": there are two of that id");
    if (const std::string* value = one.value()) {
      if (value->size() > longest_secret) return too_long(one);
      continue;
    }
    const std::string place = called(one) + ": " + one.path() + ": ";
    struct ::stat found {};
    // Opening a pipe would take away what it holds.
    if (::stat(one.path().c_str(), &found) != 0 || ::access(one.path().c_str(), R_OK) != 0)
      return refuse(why, place + std::strerror(errno));
    if (S_ISDIR(found.st_mode)) return refuse(why, place + std::strerror(EISDIR));
    if (S_ISREG(found.st_mode) && static_cast<std::size_t>(found.st_size) > longest_secret)
      return too_long(one);
  }
  return {};
}

}  // namespace dockline::buildkit
