#include "engine/container_requests.hpp"

#include "dockline/core/diagnostics.hpp"

#include "core/json.hpp"

namespace dockline::engine::requests {
namespace {

std::string on_container(std::string_view id, std::string_view action) {
  return "/containers/" + escape_name(id) + std::string(action);
}

void write_texts(json::writer& out, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out.key(key).begin_array();
  for (const auto& text : texts) out.string(text);
  out.end_array();
}

}  // namespace

endpoint container_list(const container_list_options& options) {
  endpoint what("GET", "/containers/json");
  what.parameters.add_flag("all", options.all).add_number("limit", options.limit);
  what.parameters.add_flag("size", options.size).add_filters(options.filters);
  return what;
}

endpoint container_inspect(std::string_view id) { return endpoint("GET", on_container(id, "/json")); }

endpoint container_prune(const filter_map& filters) {
  endpoint what("POST", "/containers/prune");
  what.parameters.add_filters(filters);
  what.silent = true;
  return what;
}

result<endpoint> container_stats(std::string_view id, const stats_options& options, api_version version,
                                 diagnostics& why) {
  endpoint what("GET", on_container(id, "/stats"));
  if (options.one_shot) {
    if (options.stream) {
      why.set_client_message("a stream of samples cannot be a single one");
      return errc::invalid_argument;
    }
    if (auto has = what.require(version, {1, 41}, "a single sample of a container", why); !has)
      return has.error();
  }
  what.parameters.add("stream", options.stream ? "1" : "0").add_flag("one-shot", options.one_shot);
  what.silent = options.stream;
  return what;
}

result<endpoint> exec_create(std::string_view container, const exec_options& options, api_version version,
                             diagnostics& why) {
  endpoint what("POST", on_container(container, "/exec"));
  if (options.cmd.empty()) {
    why.set_client_message("no program is named that could be started");
    return errc::invalid_argument;
  }
  if (!options.env.empty()) {
    if (auto has = what.require(version, {1, 25}, "the environment of an exec", why); !has)
      return has.error();
  }
  if (!options.working_dir.empty()) {
    if (auto has = what.require(version, {1, 35}, "the working directory of an exec", why); !has)
      return has.error();
  }
  json::writer out;
  out.begin_object();
  out.key("AttachStdin").boolean(options.in).key("AttachStdout").boolean(options.out);
  out.key("AttachStderr").boolean(options.err).key("Tty").boolean(options.tty);
  write_texts(out, "Cmd", options.cmd);
  write_texts(out, "Env", options.env);
  if (!options.working_dir.empty()) out.key("WorkingDir").string(options.working_dir);
  if (!options.user.empty()) out.key("User").string(options.user);
  out.key("Privileged").boolean(options.privileged);
  out.end_object();
  what.body = out.take();
  return what;
}

endpoint exec_start(std::string_view id, bool tty, bool detached) {
  endpoint what("POST", "/exec/" + escape_name(id) + "/start");
  json::writer out;
  out.begin_object().key("Detach").boolean(detached).key("Tty").boolean(tty).end_object();
  what.body = out.take();
  if (!detached) {
    what.fields.push_back({"Connection", "Upgrade"});
    what.fields.push_back({"Upgrade", "tcp"});
  }
  return what;
}

endpoint exec_inspect(std::string_view id) { return endpoint("GET", "/exec/" + escape_name(id) + "/json"); }

endpoint container_path_stat(std::string_view id, std::string_view path) {
  endpoint what("HEAD", on_container(id, "/archive"));
  what.parameters.add("path", path);
  return what;
}

endpoint container_archive_get(std::string_view id, std::string_view path) {
  endpoint what("GET", on_container(id, "/archive"));
  what.parameters.add("path", path);
  // The one who pulls the bytes may take as long as they like over each.
  what.silent = true;
  return what;
}

endpoint container_archive_put(std::string_view id, std::string_view path,
                               const container_put_options& options) {
  endpoint what("PUT", on_container(id, "/archive"));
  what.parameters.add("path", path).add_flag("noOverwriteDirNonDir", options.keep_types);
  what.parameters.add_flag("copyUIDGID", options.keep_owners);
  what.fields.push_back({"Content-Type", "application/x-tar"});
  what.silent = true;
  return what;
}

}  // namespace dockline::engine::requests
