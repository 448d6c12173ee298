// Builds from an archive, or from what the daemon fetches, through a session and without one.

#include "dockline/archive/archive_format.hpp"

#include "exchange/buildkit/scripted_buildkit.hpp"
#include "support/gunzip.hpp"
#include "support/scripted_source.hpp"
#include "support/text_source.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::test {
namespace {

// Takes no session, and has a builder of its own.
void answer_as_podman(peer& client) {
  for (;;) {
    const std::string line = client.read_request().line();
    if (line.starts_with("GET /_ping ")) {
      client.send(
          "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-API-Version: 4.3.1\r\n"
          "Server: Libpod/4.3.1 (linux)\r\nContent-Length: 2\r\n\r\nOK");
    } else if (line.starts_with("POST /v1.41/build?")) {
      client.send(chunked_answer({built}));
    } else {
      client.send(json_answer(R"({"message":"Not Found"})", "404 Not Found"));
    }
  }
}

}  // namespace

TEST_SUITE("exchange/archive build") {
  TEST_CASE("an archive is the request's body, and has a session beside it") {
    const held before;
    {
      scripted_buildkit buildkit;
      buildkit.asks_for_files = false;
      in_build talk(buildkit.daemon);
      talk.tree.file("big", std::string(300'000, 'b'));
      buildkit::build_options options;
      options.image.dockerfile = "sub/Dockerfile";
      const auto seen = talk.archive_build(talk.tar(), options);
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.image_id == image_id);
      CHECK(seen.value.builder == buildkit::builder_kind::buildkit);
      CHECK(talk.news.steps == std::vector<std::string>{"start [1/1] RUN make", "done"});
      CHECK(talk.news.complete);
      for (const auto& record : buildkit.daemon.wait(2)) CHECK(record.script_failure == "");
      const std::string plain = gunzip(buildkit.build_body);
      CHECK(archive::detect_archive(plain) == archive::archive_format::tar);
      CHECK(plain.find(std::string(300'000, 'b')) != plain.npos);
      CHECK(buildkit.build_line.find("session=") != std::string::npos);
      CHECK(buildkit.build_line.find("version=2") != std::string::npos);
      CHECK(buildkit.build_line.find("dockerfile=sub%2FDockerfile") != std::string::npos);
      CHECK(buildkit.build_line.find("remote=") == std::string::npos);
    }
    before.check_nothing_left();
  }

  TEST_CASE(
      "a result that is here is a success, also where the daemon cancels before it has said that it knows") {
    for (const bool wanted : {true, false}) {
      CAPTURE(wanted);
      scripted_buildkit buildkit;
      buildkit.asks_for_files = false;
      buildkit.exports_files = true;
      buildkit.wants_files = wanted;
      buildkit.exported = "content";
      in_build talk(buildkit.daemon);
      buildkit::build_options options;
      options.output.type = wanted ? buildkit::build_output::kind::local : buildkit::build_output::kind::none;
      if (wanted) options.output.destination = talk.tree.path("out");
      const auto seen = talk.archive_build(talk.tar(), options);
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.exported_files == (wanted ? 1 : 0));
      CHECK(seen.value.exported_bytes == (wanted ? 7 : 0));
    }
  }

  TEST_CASE("the digests of the image, by the store that it is in") {
    const auto built_into = [](const std::string& inspected) {
      scripted_buildkit buildkit;
      buildkit.asks_for_files = false;
      buildkit.inspected = inspected;
      in_build talk(buildkit.daemon);
      const auto seen = talk.archive_build(talk.tar());
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.image_id == image_id);
      return seen.value.config_digest + ' ' + seen.value.manifest_digest;
    };
    const std::string id = R"({"Id":")" + image_id + '"';
    const std::string descriptor = id + R"(,"Descriptor":{"digest":")" + image_id + '"';
    CHECK(built_into(json_answer(id + "}")) == image_id + ' ');
    CHECK(built_into(json_answer(id + R"(,"RepoDigests":["app@sha256:1"]})")) == image_id + ' ');
    CHECK(built_into(json_answer(id + R"(,"RepoDigests":["app@)" + image_id + "\"]}")) == ' ' + image_id);
    CHECK(built_into(json_answer(descriptor + "}}")) == ' ' + image_id);
    CHECK(built_into(json_answer(descriptor + R"(,"annotations":{"config.digest":"sha256:2"}}})")) ==
          "sha256:2 " + image_id);
    // The image is there, whatever the daemon says of it.
    CHECK(built_into(json_answer(R"({"message":"No such image"})", "404 Not Found")) == " ");
    CHECK(built_into(json_answer("{")) == " ");
  }

  TEST_CASE("an image is pushed under each of its names, with what is known of their registries") {
    scripted_buildkit buildkit;
    buildkit.asks_for_files = false;
    {
      in_build talk(buildkit.daemon);
      buildkit::build_options options;
      options.image.tags = {"h:5000/app:1"};
      options.image.registry_auths["https://h:5000/v1/"].username = "ann";
      options.output.names = {"h:5000/app:1", "other:5000/app:2"};
      options.output.push = true;
      const auto seen = talk.archive_build(talk.tar(), options);
      CHECK(seen.words() == error_code().message());
      CHECK(seen.value.manifest_digest == image_digest);
    }
    CHECK(buildkit.build_line.find("t=h%3A5000%2Fapp%3A1&t=other%3A5000%2Fapp%3A2") != std::string::npos);
    CHECK(buildkit.build_line.find("outputs=") == std::string::npos);
    const auto pushes = buildkit.pushes;
    REQUIRE(pushes.size() == 2);
    CHECK(pushes[0].starts_with("POST /v1.41/images/h:5000/app/push?tag=1 "));
    CHECK(pushes[0].find(encode_base64url(R"({"username":"ann")").substr(0, 20)) != std::string::npos);
    CHECK(pushes[1].starts_with("POST /v1.41/images/other:5000/app/push?tag=2 "));
    CHECK(pushes[1].find("\r\nX-Registry-Auth: e30=\r\n") != std::string::npos);
  }

  TEST_CASE("an image without a name is not pushed, nor what is no image: nothing is asked") {
    scripted_buildkit buildkit;
    in_build talk(buildkit.daemon);
    buildkit::build_options options;
    options.output.push = true;
    CHECK(talk.archive_build(talk.tar(), options).why.client_message() ==
          "an image needs a name to be pushed by");
    options.image.tags = {"app"};
    options.output.type = buildkit::build_output::kind::none;
    CHECK(talk.archive_build(talk.tar(), options).code == errc::invalid_argument);
    CHECK(!buildkit.session_up);
  }

  TEST_CASE("a result that is heard of after the build's end is waited for") {
    scripted_buildkit buildkit;
    buildkit.asks_for_files = false;
    buildkit.exported = "a tar";
    in_build talk(buildkit.daemon);
    std::string written;
    buildkit::build_options options;
    options.output.type = buildkit::build_output::kind::tar;
    options.output.write = [&](std::string_view bytes) {
      written += bytes;
      return error_code();
    };
    const auto seen = talk.archive_build(talk.tar(), options);
    CHECK(seen.words() == error_code().message());
    CHECK(written == "a tar");
    CHECK(seen.value.exported_bytes == 5);
  }

  TEST_CASE("a context that the daemon fetches has a session, too") {
    scripted_buildkit buildkit;
    buildkit.asks_for_files = false;
    in_build talk(buildkit.daemon);
    buildkit::build_options options;
    options.image.remote = "https://example.org/app.git";
    const auto seen = talk.archive_build(nullptr, options);
    CHECK(seen.words() == error_code().message());
    CHECK(seen.value.image_id == image_id);
    CHECK(buildkit.build_body.empty());
    CHECK(buildkit.build_line.find("session=") != std::string::npos);
    CHECK(buildkit.build_line.find("remote=https%3A%2F%2Fexample.org%2Fapp.git") != std::string::npos);
  }

  TEST_CASE("what is no archive, or none at all, is refused before the daemon is asked for anything") {
    scripted_buildkit buildkit;
    in_build talk(buildkit.daemon);
    const auto letters = std::make_shared<scripted_source>(talk.context.get_executor(), 5'000);
    const auto text = talk.archive_build(letters);
    CHECK(text.code == errc::invalid_argument);
    CHECK(text.why.client_message() == "the context is no archive: neither a tar nor compressed");
    const auto broken = std::make_shared<scripted_source>(talk.context.get_executor(), 500);
    broken->failure = make_error_code(errc::unreadable_file);
    CHECK(talk.archive_build(broken).code == errc::unreadable_file);
    CHECK(talk.archive_build(nullptr).code == errc::invalid_argument);
    buildkit::build_options both;
    both.image.remote = "https://example.org/app.git";
    CHECK(talk.archive_build(letters, both).code == errc::invalid_argument);
    CHECK(!buildkit.session_up);
  }

  TEST_CASE("where BuildKit cannot take an archive, and where there is none, the classic builder gets it") {
    const std::string zstd("\x28\xB5\x2F\xFDthe rest of it", 19);
    for (const bool by_zstd : {true, false}) {
      CAPTURE(by_zstd);
      fake_daemon podman(answer_as_podman);
      {
        in_build talk(podman);
        const auto archive = [&]() -> std::shared_ptr<byte_source> {
          if (!by_zstd) return talk.tar();
          return std::make_shared<text_source>(talk.context.get_executor(), zstd);
        };
        const auto seen = talk.archive_build(archive());
        CHECK(seen.words() == error_code().message());
        CHECK(seen.value.builder == buildkit::builder_kind::classic);

        buildkit::build_options only;
        only.builder = buildkit::builder_choice::buildkit;
        const auto refused = talk.archive_build(archive(), only);
        CHECK(refused.code == errc::unsupported_parameter);
        CHECK(refused.why.client_message().find("BuildKit") != std::string::npos);
      }
      std::vector<std::string> lines;
      for (const auto& connection : podman.wait(1)) {
        for (const auto& request : connection.requests) {
          lines.push_back(request.line());
          if (by_zstd && !request.body.empty()) CHECK(request.body == zstd);
        }
      }
      CHECK(lines.front().starts_with("POST /v1.41/session ") == !by_zstd);
      for (const auto& line : lines) CHECK(line.find("version=2") == std::string::npos);
    }
  }

  TEST_CASE("podman fetches nothing") {
    fake_daemon podman(answer_as_podman);
    in_build talk(podman);
    buildkit::build_options fetched;
    fetched.image.remote = "https://example.org/app.git";
    const auto seen = talk.archive_build(nullptr, fetched);
    CHECK(seen.code == errc::unsupported_parameter);
    CHECK(seen.why.client_message() == "podman fetches no context from \"https://example.org/app.git\"");
  }
}

}  // namespace dockline::test
