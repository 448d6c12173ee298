#pragma once

#include "dockline/buildkit/build.hpp"

#include <string>
#include <string_view>

namespace dockline::buildkit {

// What docker's command line calls it: "local".
std::string_view output_type_name(build_output::kind type) noexcept;

// Whether the result comes to this side.
bool comes_here(const build_output& output) noexcept;

// Whether the daemon sends it, though nothing of it may be wanted; that needs a session.
bool needs_receiver(const build_output& output) noexcept;

// The parameter `outputs` of POST /build; empty for an image of the daemon's.
std::string outputs_parameter(const build_output& output);

// Whether the output is complete: a destination where there has to be one. Errors: errc::invalid_argument.
result<void> check(const build_output& output, diagnostics& why);

}  // namespace dockline::buildkit
