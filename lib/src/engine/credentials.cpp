#include "dockline/engine/credentials.hpp"

#include "core/compact_strand.hpp"
#include "core/pending.hpp"
#include "core/spawn.hpp"
#include "engine/credential_helper.hpp"

#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <set>

namespace dockline::engine {
namespace {

constexpr std::size_t most_at_once = 8;

// A registry, under the name that docker has for it, and the answer of its helper, which may be on its way.
struct lookup {
  lookup() = default;

  std::string key;
  std::string program;  // without its folder
  pending<helper_answer> answer;
};

class search {
 public:
  search(asio::any_io_executor executor, credential_store store)
      : executor_(std::move(executor)), store_(std::move(store)) {}

  task<found_credentials> run(std::vector<std::string> registries) {
    std::set<std::string> keys;
    for (const auto& registry : registries) {
      if (!registry.empty()) keys.insert(registry_key(registry));
    }
    bool cancelled = false;
    for (const auto& key : keys) {
      start(key);
      if (asked_.size() < most_at_once) continue;
      if (!co_await finish_first()) cancelled = true;
      if (cancelled) break;
    }
    // When it is cancelled each of them is waited for all the same, so that none is left behind.
    while (!asked_.empty()) {
      if (!co_await finish_first()) cancelled = true;
    }
    if (cancelled) co_return aborted();
    for (const auto& registry : registries) {
      if (registry.empty()) continue;
      if (const auto known = by_key_.find(registry_key(registry)); known != by_key_.end())
        found_.auths.emplace(registry, known->second);
    }
    co_return std::move(found_);
  }

 private:
  void start(const std::string& key) {
    const std::string helper = store_.config.helper_for(key);
    if (helper.empty()) return take_stored(key);
    if (!is_helper_name(helper)) {
      warn(key, "credential helper \"" + helper + "\"", "not a plain name");
      return take_stored(key);
    }
    lookup one;
    one.key = key;
    one.program = "docker-credential-" + helper;
    const auto path = find_program(store_.search_path, one.program);
    if (!path) {
      warn(key, one.program, "not found in PATH");
      return take_stored(key);
    }
    helper_question question;
    question.program = *path;
    question.key = key;
    question.environment = store_.environment;
    question.timeout = store_.helper_timeout;
    one.answer = pending<helper_answer>::start(
        executor_, nullptr,
        [executor = executor_, question = std::move(question)](completion_handler<helper_answer> handler) {
          spawn<helper_answer>(executor, nullptr, std::move(handler),
                               [executor, question](diagnostics&) { return ask_helper(executor, question); });
        });
    asked_.push_back(std::move(one));
  }

  // False when the whole search was cancelled.
  asio::awaitable<bool> finish_first() {
    lookup one = std::move(asked_.front());
    asked_.pop_front();
    auto answer = co_await one.answer.get();
    if (co_await is_cancelled()) co_return false;
    if (!answer) {
      warn(one.key, one.program, answer.error().message());
      take_stored(one.key);
    } else if (!answer->failure.empty()) {
      warn(one.key, one.program, answer->failure);
      take_stored(one.key);
    } else if (!answer->auth.anonymous()) {
      by_key_.emplace(one.key, std::move(answer->auth));
    }
    co_return true;
  }

  void take_stored(const std::string& key) {
    if (const registry_auth* stored = store_.config.auth_for(key)) by_key_.emplace(key, *stored);
  }

  void warn(const std::string& key, const std::string& program, const std::string& reason) {
    const bool stored = store_.config.auth_for(key) != nullptr;
    static const std::string hub = registry_key("docker.io");
    found_.warnings.push_back(program + ", for " + (key == hub ? "docker.io" : key) + ": " + reason +
                              "; going on " + (stored ? "with what config.json has" : "without credentials"));
  }

  asio::any_io_executor executor_;
  credential_store store_;
  std::deque<lookup> asked_;
  std::map<std::string, registry_auth> by_key_;
  found_credentials found_;
};

task<found_credentials> find(std::shared_ptr<search> state, std::vector<std::string> registries) {
  auto found = co_await state->run(std::move(registries));
  co_return found;
}

}  // namespace

result<credential_store> credential_store_from_environment(diagnostics& why) {
  auto config = config_file_from_environment(why);
  if (!config) return config.error();
  credential_store store;
  store.config = std::move(*config);
  if (const char* path = std::getenv("PATH")) store.search_path = path;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    store.environment.emplace_back(*variable);
  return store;
}

std::string find_credential_helper(const credential_store& store, std::string_view name) {
  if (!is_helper_name(name)) return {};
  return find_program(store.search_path, "docker-credential-" + std::string(name)).value_or(std::string());
}

void start_find_credentials(asio::any_io_executor executor, credential_store store,
                            std::vector<std::string> registries, diagnostics* why,
                            completion_handler<found_credentials> handler) {
  const asio::any_io_executor strand = make_compact_strand(executor);
  auto state = std::make_shared<search>(strand, std::move(store));
  spawn<found_credentials>(strand, why, std::move(handler),
                           [state, registries = std::move(registries)](diagnostics&) mutable {
                             return find(std::move(state), std::move(registries));
                           });
}

}  // namespace dockline::engine
