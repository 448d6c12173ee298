#pragma once

// A Dockerfile taken apart into instructions, as BuildKit's parser does it.

#include <string>
#include <string_view>
#include <vector>

namespace dockline::engine {

// One instruction: the lines that belong together as one, without comments.
struct dockerfile_instruction {
  dockerfile_instruction() = default;

  std::string name;    // in capitals: "FROM"
  std::string rest;    // what follows, without white space around it
  int first_line = 0;  // counted from 1
  int last_line = 0;   // with its here-documents
};

struct dockerfile_lines {
  dockerfile_lines() = default;

  char escape = '\\';
  std::vector<dockerfile_instruction> instructions;
};

// Takes any text. Here-documents are left out with their content; one without an end takes the rest.
dockerfile_lines read_dockerfile(std::string_view text);

// The words of an instruction. Quotes and escapes stay in them.
std::vector<std::string_view> dockerfile_words(std::string_view text, char escape);

}  // namespace dockline::engine
