#include "engine/requests.hpp"

#include "dockline/core/diagnostics.hpp"
#include "dockline/engine/image_ref.hpp"

#include "core/json.hpp"
#include "engine/registry_auth_header.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace dockline::engine::requests {
namespace {

std::string array_of(const std::vector<std::string>& texts) {
  json::writer out;
  out.begin_array();
  for (const auto& text : texts) out.string(text);
  out.end_array();
  return out.take();
}

std::string object_of(const std::map<std::string, std::string>& pairs) {
  json::writer out;
  out.begin_object();
  for (const auto& [key, value] : pairs) out.key(key).string(value);
  out.end_object();
  return out.take();
}

std::string object_of(const std::map<std::string, std::optional<std::string>>& pairs) {
  json::writer out;
  out.begin_object();
  for (const auto& [key, value] : pairs) {
    out.key(key);
    value ? out.string(*value) : out.null();
  }
  out.end_object();
  return out.take();
}

std::string array_of(const std::vector<ulimit>& limits) {
  json::writer out;
  out.begin_array();
  for (const auto& one : limits) {
    out.begin_object();
    out.key("Name").string(one.name).key("Hard").integer(one.hard).key("Soft").integer(one.soft);
    out.end_object();
  }
  out.end_array();
  return out.take();
}

void write_array(json::writer& out, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out.key(key).begin_array();
  for (const auto& text : texts) out.string(text);
  out.end_array();
}

endpoint on_container(std::string_view method, std::string_view id, std::string_view action) {
  return endpoint(std::string(method), "/containers/" + escape_name(id) + std::string(action));
}

error_code refuse(diagnostics& why, std::string text) {
  why.set_client_message(std::move(text));
  return errc::invalid_argument;
}

// The names that setrlimit(2) knows, as dockerd takes them.
bool is_ulimit_name(std::string_view name) {
  static const std::set<std::string_view> names = {"core",    "cpu",      "data",   "fsize",      "locks",
                                                   "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                                   "rss",     "rtprio",   "rttime", "sigpending", "stack"};
  return names.contains(name);
}

}  // namespace

result<void> check(const build_options& options, diagnostics& why) {
  for (const auto& tag : options.tags) {
    auto reference = parse_image_ref(tag, why);
    if (!reference) return reference.error();
    if (!reference->digest.empty())
      return refuse(why, "tag \"" + tag + "\": a digest cannot be given to an image");
  }
  for (const auto& [name, value] : options.build_args) {
    if (name.empty()) return refuse(why, "build argument: the name before the '=' is empty");
    if (name.find('=') != name.npos)
      return refuse(why, "build argument \"" + name + "\": a name holds no '='");
  }
  for (const auto& [name, value] : options.labels) {
    if (name.empty()) return refuse(why, "label: the name before the '=' is empty");
  }
  for (const auto& host : options.extra_hosts) {
    const std::size_t colon = host.find(':');
    if (colon == 0 || colon == host.npos || colon + 1 == host.size()) {
      return refuse(why, "extra host \"" + host + "\": written NAME:ADDRESS");
    }
  }
  for (const auto& one : options.ulimits) {
    if (!is_ulimit_name(one.name)) return refuse(why, "ulimit \"" + one.name + "\": no such limit");
    const bool above = one.hard != -1 && (one.soft == -1 || one.soft > one.hard);
    if (above) return refuse(why, "ulimit \"" + one.name + "\": the soft limit is above the hard one");
  }
  // POST /build of no daemon takes a list, whatever its image store.
  if (options.platform.find(',') != options.platform.npos)
    return refuse(why, "platform \"" + options.platform + "\": a daemon builds for one platform at a time");
  if (options.shm_size < 0) return refuse(why, "the size of /dev/shm is negative");
  if (options.memory < 0) return refuse(why, "the memory limit is negative");
  if (options.memory_swap < -1) return refuse(why, "the limit of memory and swap is negative, and not -1");
  return {};
}

result<endpoint> build(const build_options& options, api_version version, diagnostics& why) {
  endpoint what("POST", "/build");
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 32}, "the platform of a build", why); !has) return has.error();
  }
  if (!options.outputs.empty()) {
    if (auto has = what.require(version, {1, 40}, "the output of a build", why); !has) return has.error();
  }
  if (!options.build_id.empty()) {
    if (auto has = what.require(version, {1, 39}, "the id of a build", why); !has) return has.error();
  }
  if (options.buildkit) {
    if (auto has = what.require(version, {1, 39}, "a build with BuildKit", why); !has) return has.error();
  }
  query& out = what.parameters;
  out.add_text("dockerfile", options.dockerfile);
  for (const auto& tag : options.tags) out.add("t", tag);
  out.add_text("remote", options.remote);
  if (!options.build_args.empty()) out.add("buildargs", object_of(options.build_args));
  if (!options.labels.empty()) out.add("labels", object_of(options.labels));
  out.add_text("target", options.target);
  out.add_text("platform", options.platform);
  if (!options.cache_from.empty()) out.add("cachefrom", array_of(options.cache_from));
  out.add_flag("nocache", options.no_cache);
  out.add_flag("pull", options.pull);
  if (!options.remove_intermediate) out.add("rm", "0");
  out.add_flag("forcerm", options.force_remove);
  out.add_flag("squash", options.squash);
  out.add_flag("q", options.quiet);
  out.add_text("networkmode", options.network_mode);
  for (const auto& host : options.extra_hosts) out.add("extrahosts", host);
  out.add_number("memory", options.memory);
  out.add_number("memswap", options.memory_swap);
  out.add_number("cpushares", options.cpu_shares);
  out.add_number("cpuperiod", options.cpu_period);
  out.add_number("cpuquota", options.cpu_quota);
  out.add_text("cpusetcpus", options.cpuset_cpus);
  out.add_text("cpusetmems", options.cpuset_mems);
  out.add_text("cgroupparent", options.cgroup_parent);
  out.add_number("shmsize", options.shm_size);
  if (!options.ulimits.empty()) out.add("ulimits", array_of(options.ulimits));
  out.add_text("isolation", options.isolation);
  if (!options.security_opt.empty()) out.add("securityopt", array_of(options.security_opt));
  out.add_text("outputs", options.outputs);
  out.add_text("buildid", options.build_id);
  out.add_text("session", options.session);
  out.add("version", options.buildkit ? "2" : "1");
  // Some daemons want the field even without credentials.
  what.fields.push_back({"X-Registry-Config", encode_registry_config(options.registry_auths)});
  if (options.remote.empty()) what.fields.push_back({"Content-Type", "application/x-tar"});
  what.silent = true;
  return what;
}

result<endpoint> container_create(const container_options& options, api_version version, diagnostics& why) {
  endpoint what("POST", "/containers/create");
  if (!options.platform.empty()) {
    if (auto has = what.require(version, {1, 41}, "the platform of a container", why); !has)
      return has.error();
  }
  what.parameters.add_text("name", options.name).add_text("platform", options.platform);
  json::writer out;
  out.begin_object();
  out.key("Image").string(options.image);
  write_array(out, "Cmd", options.cmd);
  if (options.entrypoint) {
    // [""] is how the API says "none at all"; an empty array would mean the image's own.
    out.key("Entrypoint").begin_array();
    for (const auto& word : *options.entrypoint) out.string(word);
    if (options.entrypoint->empty()) out.string("");
    out.end_array();
  }
  write_array(out, "Env", options.env);
  if (!options.labels.empty()) {
    out.key("Labels").begin_object();
    for (const auto& [key, value] : options.labels) out.key(key).string(value);
    out.end_object();
  }
  if (!options.working_dir.empty()) out.key("WorkingDir").string(options.working_dir);
  if (!options.user.empty()) out.key("User").string(options.user);
  out.key("Tty").boolean(options.tty);
  out.key("AttachStdout").boolean(true).key("AttachStderr").boolean(true);
  out.key("AttachStdin").boolean(options.open_stdin);
  out.key("OpenStdin").boolean(options.open_stdin).key("StdinOnce").boolean(options.open_stdin);
  std::map<std::string, std::vector<const port_binding*>> ports;
  for (const auto& binding : options.ports) ports[binding.container_port].push_back(&binding);
  if (!ports.empty()) {
    out.key("ExposedPorts").begin_object();
    for (const auto& [port, bindings] : ports) out.key(port).begin_object().end_object();
    out.end_object();
  }
  out.key("HostConfig").begin_object();
  out.key("AutoRemove").boolean(options.auto_remove);
  write_array(out, "Binds", options.binds);
  if (!options.network_mode.empty()) out.key("NetworkMode").string(options.network_mode);
  if (!ports.empty()) {
    out.key("PortBindings").begin_object();
    for (const auto& [port, bindings] : ports) {
      out.key(port).begin_array();
      for (const auto* binding : bindings) {
        out.begin_object();
        out.key("HostIp").string(binding->host_ip).key("HostPort").string(binding->host_port);
        out.end_object();
      }
      out.end_array();
    }
    out.end_object();
  }
  out.end_object();
  out.end_object();
  what.body = out.take();
  return what;
}

endpoint container_start(std::string_view id) { return on_container("POST", id, "/start"); }

endpoint container_wait(std::string_view id) {
  endpoint what = on_container("POST", id, "/wait");
  what.silent = true;
  return what;
}

result<endpoint> container_logs(std::string_view id, const logs_options& options, api_version version,
                                diagnostics& why) {
  endpoint what = on_container("GET", id, "/logs");
  if (options.until) {
    if (auto has = what.require(version, {1, 35}, "the end of a log", why); !has) return has.error();
  }
  what.parameters.add_flag("stdout", options.out).add_flag("stderr", options.err);
  what.parameters.add_flag("follow", options.follow).add_flag("timestamps", options.timestamps);
  what.parameters.add_text("tail", options.tail);
  if (options.since) what.parameters.add("since", seconds_before(*options.since));
  if (options.until) what.parameters.add("until", seconds_after(*options.until));
  what.silent = options.follow;
  return what;
}

endpoint container_attach(std::string_view id, const attach_options& options) {
  endpoint what = on_container("POST", id, "/attach");
  what.parameters.add_flag("stream", true).add_flag("stdin", options.in);
  what.parameters.add_flag("stdout", options.out).add_flag("stderr", options.err);
  what.fields.push_back({"Connection", "Upgrade"});
  what.fields.push_back({"Upgrade", "tcp"});
  return what;
}

endpoint container_kill(std::string_view id, std::string_view signal) {
  endpoint what = on_container("POST", id, "/kill");
  what.parameters.add_text("signal", signal);
  return what;
}

endpoint container_remove(std::string_view id, const remove_options& options) {
  endpoint what = on_container("DELETE", id, "");
  what.parameters.add_flag("force", options.force).add_flag("v", options.volumes);
  return what;
}

}  // namespace dockline::engine::requests
