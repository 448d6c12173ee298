#include "arguments.hpp"

#include <CLI/CLI.hpp>

#include <string_view>
#include <utility>

namespace dockline::tool {
namespace {

bool takes_value(const CLI::App& app, const CLI::App* command, const std::string& name) {
  const CLI::Option* option = command != nullptr ? command->get_option_no_throw(name) : nullptr;
  if (option == nullptr) option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// Whether the value of this option, or cluster of short ones, is the next word.
bool wants_next(const CLI::App& app, const CLI::App* command, const std::string& word) {
  if (word.starts_with("--")) return word.find('=') == word.npos && takes_value(app, command, word);
  for (std::size_t i = 1; i < word.size(); ++i) {
    // The first of a cluster that takes a value takes the rest of the word, if there is any.
    if (takes_value(app, command, std::string("-") + word[i])) return i + 1 == word.size();
  }
  return false;
}

}  // namespace

arguments split_arguments(const CLI::App& app, std::vector<std::string> words) {
  arguments split;
  const CLI::App* command = nullptr;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string& word = words[i];
    const bool is_option = word.size() > 1 && word.front() == '-' && word != "--";
    if (is_option) {
      const bool next_too = wants_next(app, command, word) && i + 1 < words.size();
      split.own.push_back(std::move(word));
      if (next_too) split.own.push_back(std::move(words[++i]));
      continue;
    }
    if (command == nullptr && word != "--") {
      for (const CLI::App* one : app.get_subcommands({})) {
        if (one->check_name(word)) command = one;
      }
      split.own.push_back(std::move(word));
      if (command != nullptr && command->get_name() == "run") continue;
      // Every other command's words are the parser's alone.
      for (++i; i < words.size(); ++i) split.own.push_back(std::move(words[i]));
      break;
    }
    if (word == "--") ++i;
    for (; i < words.size(); ++i) split.tail.push_back(std::move(words[i]));
  }
  return split;
}

}  // namespace dockline::tool
