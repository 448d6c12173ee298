#include "dockline/archive/context_listing.hpp"

#include "core/encoding.hpp"
#include "core/json.hpp"

#include <string_view>

namespace dockline::archive {
namespace {

constexpr std::size_t part_size = std::size_t{16} << 10;

std::string octal(std::uint32_t mode) {
  std::string digits(4, '0');
  for (std::size_t at = 4; at-- > 0; mode >>= 3) digits[at] = static_cast<char>('0' + (mode & 7));
  return digits;
}

void write_path(json::writer& out, std::string_view path) {
  out.key("path").string(path);
  if (!is_utf8(path)) out.key("path_base64").string(encode_base64(path));
}

void write(json::writer& out, const context_entry& entry) {
  out.begin_object();
  write_path(out, entry.path);
  out.key("type").string(name_of(entry.type));
  out.key("size").unsigned_integer(entry.size);
  out.key("mode").string(octal(entry.mode));
  if (!entry.link.empty()) out.key("link").string(entry.link);
  out.end_object();
}

void write(json::writer& out, const ignored_path& ignored, const ignore_origin& rule) {
  out.begin_object();
  write_path(out, ignored.whole_directory ? ignored.path + "/" : ignored.path);
  out.key("rule").begin_object();
  out.key("file").string(rule.file).key("line").integer(rule.line).key("pattern").string(rule.pattern);
  out.end_object();
  out.end_object();
}

}  // namespace

void to_json(const build_context& context, const context_listing& listing,
             const std::function<void(std::string_view)>& write_part) {
  json::writer out;
  const auto pass_on = [&] {
    if (out.text().size() >= part_size) write_part(out.take_part());
  };
  out.begin_object();
  out.key("mode").string(context.mode() == ignore_mode::classic ? "classic" : "buildkit");
  out.key("dockerfile").string(context.dockerfile_name());
  out.key("ignore_file").string(context.ignore_file());
  out.key("entries").begin_array();
  for (const auto& entry : listing.entries) {
    write(out, entry);
    pass_on();
  }
  out.end_array();
  out.key("ignored").begin_array();
  for (const auto& ignored : listing.ignored) {
    write(out, ignored, listing.rules[ignored.rule]);
    pass_on();
  }
  out.end_array();
  out.key("skipped").begin_array();
  for (const auto& skipped : listing.skipped) {
    out.begin_object();
    write_path(out, skipped.path);
    out.key("reason").string(skipped.reason);
    out.end_object();
    pass_on();
  }
  out.end_array();
  out.key("totals").begin_object();
  out.key("entries").unsigned_integer(listing.entries.size());
  out.key("bytes").unsigned_integer(listing.bytes);
  out.key("ignored").unsigned_integer(listing.ignored.size());
  out.end_object();
  out.end_object();
  write_part(out.take());
}

std::string to_json(const build_context& context, const context_listing& listing) {
  std::string text;
  to_json(context, listing, [&](std::string_view part) { text += part; });
  return text;
}

}  // namespace dockline::archive
