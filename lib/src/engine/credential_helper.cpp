#include "engine/credential_helper.hpp"

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/json.hpp"
#include "core/run_program.hpp"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace dockline::engine {
namespace {

using namespace std::chrono_literals;

// Tokens of cloud registries are some kilobytes long.
constexpr std::size_t longest_output = std::size_t{1} << 20;
constexpr std::size_t longest_complaint = 200;

// The protocol's words for a registry that the helper knows nothing of, with exit status 1.
constexpr std::string_view not_found = "credentials not found in native keychain";
// The protocol's name of a user whose secret is an identity token.
constexpr std::string_view token_user = "<token>";

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time / 1ms) + " ms";
}

// The helper's own message: one line of it, and none where it might be credentials after all.
std::string first_line(std::string_view text) {
  if (text.find('{') != text.npos) return {};
  text = text.substr(0, text.find('\n')).substr(0, longest_complaint);
  std::string line = to_utf8(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

helper_answer read_helper_answer(int status, std::string_view output, std::string_view key) {
  helper_answer answer;
  if (status != 0) {
    // Compared as part of it, since some helpers say more.
    if (output.find(not_found) != output.npos) return answer;
    answer.failure = status > 128 ? "ended by signal " + std::to_string(status - 128)
                                  : "ended with status " + std::to_string(status);
    if (const std::string words = first_line(output); !words.empty()) answer.failure += ": " + words;
    return answer;
  }
  const auto parsed = json::parse(output);
  const json::value root = parsed ? parsed->root() : json::value();
  const auto user = root.find("Username").as_string();
  const auto secret = root.find("Secret").as_string();
  if (!user || !secret) {
    answer.failure = "printed something else than credentials";
    return answer;
  }
  if (user->empty() && secret->empty()) return answer;
  if (*user == token_user) {
    answer.auth.identity_token = *secret;
  } else {
    answer.auth.username = *user;
    answer.auth.password = *secret;
  }
  answer.auth.server_address = key;
  return answer;
}

bool is_helper_name(std::string_view name) {
  return !name.empty() && name.size() <= NAME_MAX && name.find("..") == name.npos &&
         std::ranges::all_of(name, [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '+';
         });
}

std::optional<std::string> find_program(std::string_view search_path, std::string_view name) {
  while (!search_path.empty()) {
    const std::size_t colon = search_path.find(':');
    const std::string_view directory = search_path.substr(0, colon);
    search_path.remove_prefix(colon == search_path.npos ? search_path.size() : colon + 1);
    if (!directory.starts_with('/')) continue;
    std::string path = std::string(directory) + "/" + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0)
      return path;
  }
  return std::nullopt;
}

task<helper_answer> ask_helper(asio::any_io_executor executor, helper_question question) {
  program_call call;
  call.arguments.push_back(question.program);
  call.arguments.emplace_back("get");
  call.environment = question.environment;
  call.input = question.key;
  call.timeout = question.timeout;
  call.longest_output = longest_output;
  auto end = co_await run_program(executor, std::move(call));
  if (!end) co_return end.error();
  helper_answer answer;
  if (end->not_started) {
    answer.failure = "cannot be run: " + end->not_started.message();
  } else if (end->too_long) {
    answer.failure = "printed more than 1 MiB";
  } else if (end->timed_out) {
    answer.failure = "gave no answer within " + seconds(question.timeout);
  } else {
    answer = read_helper_answer(end->status, end->output, question.key);
  }
  co_return answer;
}

}  // namespace dockline::engine
