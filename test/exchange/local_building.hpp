#pragma once

// containerize's local builder against a daemon that answers by what is asked, not by the order of it.

#include "dockline/containerize/local_builder.hpp"

#include "exchange/conversation.hpp"
#include "unit/archive/scratch_tree.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace dockline::test {

using containerize::containerized_image;
using containerize::image_lookup;
using containerize::image_presence;

inline const std::string missing = json_answer(R"({"message":"No such image"})", "404 Not Found");
inline const std::string there = json_answer("{\"Id\":\"" + image_id + "\"}");
inline const std::string pushed =
    chunked_answer({R"({"progressDetail":{},"aux":{"Tag":"1","Digest":")" + image_digest +
                    R"(","Size":527}})"
                    "\r\n"});
inline const std::string pulled = chunked_answer({"{\"status\":\"Digest: " + image_digest + "\"}\r\n",
                                                  "{\"status\":\"Status: Downloaded newer image\"}\r\n"});
inline const std::string docker_ping = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK";
inline const std::string podman_ping =
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-API-Version: 4.3.1\r\nContent-Length: 2\r\n\r\nOK";
inline const std::string built_of_three = chunked_answer(
    {"{\"stream\":\"Step 1/3 : FROM base\\n\"}\r\n{\"stream\":\" ---> 0123456789ab\\n\"}\r\n",
     "{\"stream\":\"Step 2/3 : WORKDIR /app\\n\"}\r\n{\"stream\":\" ---> Using cache\\n\"}\r\n",
     "{\"stream\":\"Step 3/3 : COPY [\\\".\\\", \\\"./\\\"]\\n\"}\r\n", built});

// A daemon that answers by what the request's line begins with, and remembers the lines.
class routed_daemon {
 public:
  // Each answer by the beginning of its request's line; what is not here is missing, but for docker's ping.
  explicit routed_daemon(std::map<std::string, std::string> answers)
      : answers_(with_ping(std::move(answers))), daemon([this](peer& client) { serve(client); }) {}

  std::string heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

  // The body of the last build.
  std::string context() {
    const std::lock_guard lock(mutex_);
    return context_;
  }

  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  static std::map<std::string, std::string> with_ping(std::map<std::string, std::string> answers) {
    answers.emplace("GET /_ping", docker_ping);
    return answers;
  }

  void serve(peer& client) {
    for (;;) {
      const seen_request& seen = client.read_request();
      const std::string line = seen.line().substr(0, seen.line().rfind(" HTTP/"));
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
        heads_ += seen.head;
        if (line.starts_with("POST /v1.41/build?")) context_ = seen.body;
      }
      std::string answer = missing;
      std::size_t longest = 0;
      for (const auto& [start, text] : answers_) {
        if (!line.starts_with(start) || start.size() < longest) continue;
        answer = text;
        longest = start.size();
      }
      // None: the daemon is silent.
      if (answer.empty()) return client.wait_for_close();
      client.send(answer);
    }
  }

  std::map<std::string, std::string> answers_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::string heads_;
  std::string context_;

 public:
  fake_daemon daemon;
};

struct building : conversation {
  explicit building(routed_daemon& other) : conversation(other.daemon) {
    tree.file("a.py", "x\n");
    order.context.directory = tree.root();
    order.context.dockerfile = archive::dockerfile_source::from_text("FROM base\n");
    order.image = "h:5000/app:1";
    options.builder = containerize::daemon_builder::classic;
  }

  outcome<containerized_image> make(std::function<void()> meanwhile = {}) {
    auto builder = containerize::make_local_builder(daemon, options);
    return operation<containerized_image>([&](diagnostics& why, auto token) {
      builder->start_build(
          order,
          [this, meanwhile](const progress::event& what) {
            if (const auto* warned = std::get_if<progress::warning>(&what.body))
              warnings.push_back(warned->text);
            if (std::holds_alternative<progress::step_started>(what.body) && meanwhile) meanwhile();
          },
          &why, completion_handler<containerized_image>(std::move(token)));
    });
  }
  outcome<image_lookup> look_up(const std::string& image) {
    auto builder = containerize::make_local_builder(daemon, options);
    return operation<image_lookup>([&](diagnostics& why, auto token) {
      builder->start_look_up(image, &why, completion_handler<image_lookup>(std::move(token)));
    });
  }

  archive::scratch_tree tree;
  containerize::image_order order;
  containerize::local_builder_options options;
  std::vector<std::string> warnings;
};

}  // namespace dockline::test
