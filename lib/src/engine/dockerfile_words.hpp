#pragma once

// Quotes and variables in the words of a Dockerfile.

#include <map>
#include <string>
#include <string_view>

namespace dockline::engine {

using dockerfile_variables = std::map<std::string, std::string, std::less<>>;

// The word without its quotes and escapes, and with the values of $NAME, ${NAME}, ${NAME:-else} and
// ${NAME:+then} in their places; an unknown variable is empty. Empty, too, for a word whose values make it
// longer than any name can be: variables may refer to each other so that they double.
std::string expand_word(std::string_view word, char escape, const dockerfile_variables& variables);

}  // namespace dockline::engine
