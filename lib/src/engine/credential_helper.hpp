#pragma once

// A program that keeps credentials: docker-credential-NAME.

#include "dockline/engine/registry_auth.hpp"

#include "core/spawn.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

// What came of asking a helper.
struct helper_answer {
  helper_answer() = default;

  registry_auth auth;   // anonymous when the helper knows none
  std::string failure;  // why there is no answer; empty when there is one
};

// What a helper's exit status and output mean for the registry filed under `key`. Nothing that the helper
// printed gets into `failure` unless it is the message that its protocol has for that.
helper_answer read_helper_answer(int status, std::string_view output, std::string_view key);

// Whether config.json may name a helper like that: what is no plain name would run another program.
bool is_helper_name(std::string_view name);

// The first executable file of this name in the directories of `search_path`.
std::optional<std::string> find_program(std::string_view search_path, std::string_view name);

struct helper_question {
  helper_question() = default;

  std::string program;  // its path
  std::string key;      // of the registry
  std::vector<std::string> environment;
  std::chrono::milliseconds timeout{};  // zero: none
};

// Runs `program get` with the key on its standard input. Errors: operation_aborted, once the program is gone.
task<helper_answer> ask_helper(asio::any_io_executor executor, helper_question question);

}  // namespace dockline::engine
