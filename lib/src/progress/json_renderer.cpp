#include "dockline/progress/json_renderer.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"
#include "progress/layer_messages.hpp"

#include <utility>
#include <variant>

namespace dockline::progress {
namespace {

// Writes the event's name and fields. No template: an event that is forgotten here does not compile.
class field_writer {
 public:
  explicit field_writer(json::writer& out) : out_(out) {}

  void operator()(const context_progress& what) {
    name("context_progress");
    number("entries", what.entries);
    number("bytes", what.bytes);
    number("bytes_sent", what.bytes_sent);
    out_.key("complete").boolean(what.complete);
    if (what.in_step) out_.key("in_step").boolean(true);
  }
  void operator()(const step_started& what) {
    name("step_started");
    index(what.index);
    out_.key("total").integer(what.total);
    text("name", what.name);
    if (!what.title.empty()) text("title", what.title);
  }
  void operator()(const step_cached& what) {
    name("step_cached");
    index(what.index);
  }
  void operator()(const step_finished& what) {
    name("step_finished");
    index(what.index);
  }
  void operator()(const step_failed& what) {
    name("step_failed");
    index(what.index);
    out_.key("exit_code");
    if (what.exit_code)
      out_.integer(*what.exit_code);
    else
      out_.null();
    text("reason", what.reason);
    if (what.cancelled) out_.key("cancelled").boolean(true);
    if (!what.log_tail.empty()) text("log_tail", what.log_tail);
    if (!what.file.empty()) text("file", what.file);
    lines(what.first_line, what.last_line);
    if (!what.excerpt.empty()) text("excerpt", what.excerpt);
  }
  void operator()(const step_status& what) {
    name("step_status");
    index(what.index);
    text("id", what.id);
    number("current", what.current);
    number("total", what.total);
    out_.key("complete").boolean(what.complete);
  }
  void operator()(const step_log& what) {
    name("step_log");
    index(what.index);
    text("stream", what.stream == output_stream::out ? "stdout" : "stderr");
    text("bytes", what.bytes);
    if (!is_utf8(what.bytes)) text("bytes_base64", encode_base64(what.bytes));
  }
  void operator()(const layer_progress& what) {
    name("layer_progress");
    text("id", what.id);
    text("status", what.status);
    number("current", what.current);
    number("total", what.total);
    text("phase", name_of(what.phase));
  }
  void operator()(const transfer_finished& what) {
    name("transfer_finished");
    text("tag", what.tag);
    text("digest", what.digest);
    number("size", what.size);
  }
  void operator()(const warning& what) {
    name("warning");
    text("text", what.text);
    if (what.index > 0) index(what.index);
    if (!what.file.empty()) text("file", what.file);
    lines(what.first_line, what.last_line);
    if (!what.details.empty()) {
      out_.key("details").begin_array();
      for (const auto& detail : what.details) out_.string(detail);
      out_.end_array();
    }
    if (!what.url.empty()) text("url", what.url);
  }
  void operator()(const builder_chosen& what) {
    name("builder_chosen");
    text("builder", what.builder);
    text("reason", what.reason);
  }
  void operator()(const image_built& what) {
    name("image_built");
    text("id", what.id);
  }
  void operator()(const image_tagged& what) {
    name("image_tagged");
    text("reference", what.reference);
  }
  void operator()(const image_loaded& what) {
    name("image_loaded");
    text("reference", what.reference);
  }

 private:
  void name(std::string_view of_event) { text("event", of_event); }
  void index(int value) { out_.key("index").integer(value); }
  void lines(int first, int last) {
    if (first <= 0) return;
    out_.key("first_line").integer(first);
    out_.key("last_line").integer(last);
  }
  void number(std::string_view key, std::uint64_t value) { out_.key(key).unsigned_integer(value); }
  void text(std::string_view key, std::string_view value) { out_.key(key).string(value); }

  json::writer& out_;
};

}  // namespace

std::string to_json(const event& what) {
  json::writer out;
  out.begin_object();
  out.key("time").string(format_rfc3339(what.time));
  std::visit(field_writer(out), what.body);
  out.end_object();
  return out.take();
}

json_renderer::json_renderer(writer out) : out_(std::move(out)) {}

void json_renderer::show(const event& what) { out_(to_json(what) + '\n'); }

}  // namespace dockline::progress
