#include "exchange/success_answers.hpp"

#include "core/encoding.hpp"

#include <array>
#include <stdexcept>
#include <vector>

namespace dockline::test {
namespace {

struct success {
  std::string_view method;
  std::string_view part;  // of the request's line
  std::string answer;
};

const std::string no_content = "HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n";

std::string image_json() {
  return R"({"Id":"sha256:)" + told_id + R"(","RepoTags":["app:1"],"Created":")" + std::string(told_time) +
         R"(","Os":"linux","Size":7})";
}

std::string raw_answer(std::string_view bytes, std::string_view fields = {}) {
  return "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/x-tar\r\nContent-Length: " +
         std::to_string(bytes.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(bytes);
}

std::string path_stat() {
  return "X-Docker-Container-Path-Stat: " +
         encode_base64(R"({"name":"a","size":7,"mode":420,"linkTarget":""})") + "\r\n";
}

// A line of standard output as the daemon frames it.
std::string one_frame() {
  const std::string text = "hello\n";
  return std::string{1, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())} + text;
}

// A hundred times 'x', which is what the tests upload.
std::string object_json() {
  return R"({"name":"object","bucket":"bucket","generation":"17","size":"100","crc32c":"TtsDzw=="})";
}

std::string build_json() {
  return R"({"id":"b1","projectId":"project","status":"SUCCESS","logsBucket":"gs://bucket","steps":[{"id":"build"}],)"
         R"("results":{"images":[{"name":"gcr.io/project/app:1","digest":")" +
         told_digest + R"("}]}})";
}

// The first one that fits is taken.
std::vector<success> all_successes() {
  const std::string aux = R"("aux":{"ID":"sha256:)" + told_id + "\"}}\r\n";
  const std::string operation = json_answer(R"({"name":"o","metadata":{"build":)" + build_json() + "}}");
  return {
      {"POST", "/auth ", json_answer(R"({"Status":"Login Succeeded"})")},
      {"GET", "/version ", json_answer(R"({"Version":"1.2.3","ApiVersion":"1.41"})")},
      {"GET", "/info ", json_answer(R"({"ID":"I","ServerVersion":"1.2.3","NCPU":2})")},
      {"GET", "/events",
       chunked_answer({R"({"Type":"container","Action":"start","Actor":{"ID":"c1"}})"
                       "\n"})},
      {"GET", "/system/df", json_answer(R"({"LayersSize":7,"Images":[)" + image_json() + "]}")},
      {"POST", "/build/prune", json_answer(R"({"CachesDeleted":["one"],"SpaceReclaimed":7})")},
      {"POST", "/build/cancel", no_content},
      {"POST", "version=2", chunked_answer({R"({"id":"moby.image.id",)" + aux})},
      {"POST", "/build?", chunked_answer({"{\"stream\":\"Step 1/1 : FROM scratch\\n\"}\r\n", '{' + aux})},
      {"GET", "/distribution/",
       json_answer(R"({"Descriptor":{"digest":")" + told_digest +
                   R"("},"Platforms":[{"os":"linux","architecture":"amd64"}]})")},

      {"GET", "/images/json", json_answer('[' + image_json() + ']')},
      {"POST", "/images/prune", json_answer(R"({"ImagesDeleted":[{"Deleted":"one"}],"SpaceReclaimed":7})")},
      {"GET", "/images/search", json_answer(R"([{"name":"app","star_count":7}])")},
      {"GET", "/images/get", raw_answer("a tar of images")},
      {"POST", "/images/load",
       chunked_answer({R"({"stream":"Loaded image: app:1\n"})"
                       "\r\n"})},
      {"POST", "fromSrc=", chunked_answer({R"({"status":"sha256:)" + told_id + "\"}\r\n"})},
      {"POST", "fromImage=",
       chunked_answer({R"({"status":"Pulling from app","id":"latest"})"
                       "\r\n",
                       R"({"status":"Digest: )" + told_digest + "\"}\r\n",
                       R"({"status":"Status: Image is up to date for app:latest"})"
                       "\r\n"})},
      {"POST", "/push",
       chunked_answer({R"({"progressDetail":{},"aux":{"Tag":"1","Digest":")" + told_digest +
                       R"(","Size":527}})"
                       "\r\n"})},
      {"GET", "/history", json_answer(R"([{"Id":"one","CreatedBy":"COPY","Size":7}])")},
      {"POST", "/tag?", "HTTP/1.1 201 Created\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n"},
      {"DELETE", "/images/", json_answer(R"([{"Untagged":"app:1"}])")},
      {"GET", "/images/", json_answer(image_json())},

      {"GET", "/containers/json", json_answer(R"([{"Id":"c1","Names":["/web"]}])")},
      {"POST", "/containers/prune", json_answer(R"({"ContainersDeleted":["c1"],"SpaceReclaimed":7})")},
      {"POST", "/containers/create", json_answer(R"({"Id":"made","Warnings":["slow"]})", "201 Created")},
      {"GET", "/stats",
       chunked_answer({R"({"read":"2026-01-02T03:04:05Z","pids_stats":{"current":7}})"
                       "\n"})},
      {"GET", "/logs", raw_answer(one_frame())},
      {"POST", "/wait", json_answer(R"({"StatusCode":3})")},
      {"POST", "/start", no_content},
      {"POST", "/kill", no_content},
      {"POST", "/exec ", json_answer(R"({"Id":")" + told_id + "\"}", "201 Created")},
      {"GET", "/exec/", json_answer(R"({"ID":")" + told_id + R"(","Running":false,"ExitCode":3})")},
      {"HEAD", "/archive", "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n" + path_stat() + "\r\n"},
      {"GET", "/archive", raw_answer("a tar of files", path_stat())},
      {"PUT", "/archive", "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n"},
      {"DELETE", "/containers/", no_content},
      {"GET", "/containers/", json_answer(R"({"Id":"c1","Name":"/web","State":{"Status":"running"}})")},

      // What is uploaded is not there before.
      {"GET", "/o/new", json_answer(R"({"error":{"code":404,"message":"No such object"}})", "404 Not Found")},
      {"POST", "/upload/", json_answer(object_json())},
      {"GET", "alt=media", raw_answer("Step #0 - \"build\": hello\n")},
      {"GET", "/o/", json_answer(object_json())},
      {"DELETE", "/o/", no_content},
      {"GET", "/iam/", json_answer(R"({"permissions":["storage.objects.create","storage.objects.get"]})")},
      {"GET", "/storage/v1/b?", json_answer(R"({"items":[{"name":"bucket"}]})")},
      {"GET", "/storage/v1/b/", json_answer(R"({"name":"bucket","location":"EU","projectNumber":"17"})")},
      {"POST", ":retry", operation},
      {"POST", ":cancel", json_answer(build_json())},
      {"POST", "/builds", operation},
      {"GET", "/builds?", json_answer(R"({"builds":[)" + build_json() + "]}")},
      {"GET", "/builds/", json_answer(build_json())},
  };
}

// Hands the connection over to what is asked for.
bool hand_over(peer& client, std::string_view line) {
  const bool session = line.find("/session ") != line.npos;
  client.send(std::string("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ") +
              (session ? "h2c" : "tcp") + "\r\n\r\n");
  if (!session) {
    client.send(one_frame());
    client.half_close();
  }
  client.wait_for_close();
  return false;
}

}  // namespace

bool answer_with_success(peer& client, const seen_request& request) {
  static const std::vector<success> successes = all_successes();
  const std::string line = request.line();
  if (request.head.find("\r\nUpgrade: ") != request.head.npos) return hand_over(client, line);
  for (const success& one : successes) {
    if (!line.starts_with(std::string(one.method) + ' ') || line.find(one.part) == line.npos) continue;
    client.send(one.answer);
    return true;
  }
  throw script_broken{"no success is known for " + line};
}

}  // namespace dockline::test
