#pragma once

// Events as text, a line each, for tests to compare and people to read.

#include "dockline/progress/event.hpp"

#include "core/json.hpp"
#include "progress/layer_messages.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace dockline::progress {

inline std::string in_quotes(std::string_view text) { return json::writer().string(text).take(); }

inline std::string list_event(const event& what) {
  return std::visit(
      [](const auto& body) -> std::string {
        using body_type = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<body_type, context_progress>) {
          return "context_progress entries=" + std::to_string(body.entries) +
                 " bytes=" + std::to_string(body.bytes) + " bytes_sent=" + std::to_string(body.bytes_sent) +
                 (body.complete ? " complete" : "") + (body.in_step ? " in_step" : "");
        } else if constexpr (std::is_same_v<body_type, step_started>) {
          return "step_started " + std::to_string(body.index) + '/' + std::to_string(body.total) + ' ' +
                 in_quotes(body.name) + (body.title.empty() ? "" : ' ' + in_quotes(body.title));
        } else if constexpr (std::is_same_v<body_type, step_cached>) {
          return "step_cached " + std::to_string(body.index);
        } else if constexpr (std::is_same_v<body_type, step_finished>) {
          return "step_finished " + std::to_string(body.index);
        } else if constexpr (std::is_same_v<body_type, step_failed>) {
          return "step_failed " + std::to_string(body.index) +
                 " exit_code=" + (body.exit_code ? std::to_string(*body.exit_code) : "none") + ' ' +
                 in_quotes(body.reason) + (body.cancelled ? " cancelled" : "");
        } else if constexpr (std::is_same_v<body_type, step_status>) {
          return "step_status " + std::to_string(body.index) + ' ' + in_quotes(body.id) + ' ' +
                 std::to_string(body.current) + '/' + std::to_string(body.total) +
                 (body.complete ? " complete" : "");
        } else if constexpr (std::is_same_v<body_type, builder_chosen>) {
          return "builder_chosen " + body.builder + ' ' + in_quotes(body.reason);
        } else if constexpr (std::is_same_v<body_type, step_log>) {
          return "step_log " + std::to_string(body.index) +
                 (body.stream == output_stream::out ? " out " : " err ") + in_quotes(body.bytes);
        } else if constexpr (std::is_same_v<body_type, layer_progress>) {
          return "layer_progress " + in_quotes(body.id) + ' ' + in_quotes(body.status) + ' ' +
                 std::to_string(body.current) + '/' + std::to_string(body.total) +
                 (body.phase == layer_phase::none ? "" : ' ' + std::string(name_of(body.phase)));
        } else if constexpr (std::is_same_v<body_type, transfer_finished>) {
          return "transfer_finished " + in_quotes(body.tag) + ' ' + in_quotes(body.digest) +
                 " size=" + std::to_string(body.size);
        } else if constexpr (std::is_same_v<body_type, warning>) {
          std::string line = "warning " + in_quotes(body.text);
          if (body.index > 0) line += " of " + std::to_string(body.index);
          if (!body.file.empty()) line += ' ' + in_quotes(body.file);
          if (body.first_line > 0)
            line += ':' + std::to_string(body.first_line) + '-' + std::to_string(body.last_line);
          for (const auto& detail : body.details) line += ' ' + in_quotes(detail);
          return line + (body.url.empty() ? "" : ' ' + body.url);
        } else if constexpr (std::is_same_v<body_type, image_built>) {
          return "image_built " + body.id;
        } else if constexpr (std::is_same_v<body_type, image_tagged>) {
          return "image_tagged " + body.reference;
        } else {
          static_assert(std::is_same_v<body_type, image_loaded>);
          return "image_loaded " + in_quotes(body.reference);
        }
      },
      what.body);
}

}  // namespace dockline::progress
