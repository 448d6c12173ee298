#pragma once

#include "dockline/archive/build_context.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::archive {

// What an operation completed with.
struct opened_context {
  error_code code;
  diagnostics why;
  build_context context;
};

inline opened_context open(context_options options) {
  opened_context out;
  boost::asio::io_context loop;
  async_open_context(loop.get_executor(), std::move(options), out.why,
                     [&](error_code code, build_context context) {
                       out.code = code;
                       out.context = std::move(context);
                     });
  loop.run();
  return out;
}

struct packed_bytes {
  error_code code;
  std::string bytes;
  std::string why;
  std::vector<std::string> warnings;
  packing_progress progress;
};

inline packed_bytes drain(byte_source& source, std::size_t block_size = 65536) {
  packed_bytes out;
  boost::asio::io_context loop;
  std::string block(block_size, '\0');
  for (bool more = true; more;) {
    source.async_read_some(
        boost::asio::buffer(block),
        boost::asio::bind_executor(loop.get_executor(), [&](error_code code, std::size_t count) {
          out.code = code;
          more = !code && count > 0;
          if (!code) out.bytes.append(block, 0, count);
        }));
    loop.run();
    loop.restart();
  }
  out.why = source.why().client_message();
  out.warnings = source.take_warnings();
  out.progress = source.packed();
  return out;
}

inline packed_bytes pack(context_options options) {
  opened_context opened = open(std::move(options));
  if (opened.code) return {opened.code, {}, opened.why.client_message(), {}, {}};
  return drain(*opened.context.pack());
}

// One entry of a tar, as a reader of ustar and PAX headers sees it.
struct tar_item {
  std::string name;
  char type = 0;
  std::uint32_t mode = 0;
  std::string link;
  std::string text;
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
};

// `ended`: two blocks of zeros, and nothing behind them.
inline std::vector<tar_item> read_tar(std::string_view tar, bool& ended) {
  std::vector<tar_item> items;
  ended = false;
  std::string path;
  std::string link;
  while (tar.size() >= 512) {
    const std::string_view head = tar.substr(0, 512);
    if (head.find_first_not_of('\0') == std::string_view::npos) {
      ended = tar.size() == 1024 && tar.find_first_not_of('\0') == std::string_view::npos;
      return items;
    }
    const auto text = [&](std::size_t at, std::size_t size) {
      const std::string_view field = head.substr(at, size);
      return std::string(field.substr(0, field.find('\0')));
    };
    const auto number = [&](std::size_t at, std::size_t size) {
      return std::strtoull(text(at, size).c_str(), nullptr, 8);
    };
    tar_item item;
    item.type = head[156];
    item.name = text(345, 155).empty() ? text(0, 100) : text(345, 155) + "/" + text(0, 100);
    item.mode = static_cast<std::uint32_t>(number(100, 8));
    item.link = text(157, 100);
    item.size = number(124, 12);
    item.mtime = static_cast<std::int64_t>(number(136, 12));
    tar.remove_prefix(512);
    const std::size_t size = item.size;
    item.text = std::string(tar.substr(0, size));
    tar.remove_prefix(std::min(tar.size(), (size + 511) / 512 * 512));
    if (item.type == 'x') {
      std::string_view records = item.text;
      while (!records.empty()) {
        const std::size_t length = std::strtoull(std::string(records).c_str(), nullptr, 10);
        const std::string_view record = records.substr(0, length - 1);
        const std::size_t space = record.find(' ');
        const std::size_t equals = record.find('=');
        const std::string_view key = record.substr(space + 1, equals - space - 1);
        if (key == "path") path = record.substr(equals + 1);
        if (key == "linkpath") link = record.substr(equals + 1);
        records.remove_prefix(length);
      }
      continue;
    }
    if (!path.empty()) item.name = std::exchange(path, {});
    if (!link.empty()) item.link = std::exchange(link, {});
    items.push_back(std::move(item));
  }
  return items;
}

// One line a name, so that a failed check shows them.
inline std::string lines_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return text;
}

inline std::vector<std::string> names_of(const std::vector<tar_item>& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  return names;
}

}  // namespace dockline::archive
