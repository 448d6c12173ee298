#include "engine/image_requests.hpp"

#include "unit/engine/request_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::engine {

TEST_SUITE("engine/image_requests") {
  TEST_CASE("one image: inspect, history, remove") {
    CHECK(text(requests::image_inspect("127.0.0.1:5000/team/app:1")) ==
          bare("GET /v1.51/images/127.0.0.1:5000/team/app:1/json"));
    CHECK(text(requests::image_inspect("sha256:0a")) == bare("GET /v1.51/images/sha256:0a/json"));
    CHECK(text(requests::image_history("team/app:1")) == bare("GET /v1.51/images/team/app:1/history"));

    image_remove_options gone;
    CHECK(text(requests::image_remove("app", gone)) == bare("DELETE /v1.51/images/app"));
    gone.force = true;
    gone.keep_parents = true;
    CHECK(text(requests::image_remove("team/app:1", gone)) ==
          bare("DELETE /v1.51/images/team/app:1?force=1&noprune=1"));
  }

  TEST_CASE("tag: the reference goes as repo and tag, as it was written") {
    diagnostics why;
    struct row {
      std::string_view reference, query;
    };
    const row rows[] = {{"app", "repo=app"},
                        {"app:1", "repo=app&tag=1"},
                        {"127.0.0.1:5000/app", "repo=127.0.0.1%3A5000%2Fapp"},
                        {"127.0.0.1:5000/team/app:1.0", "repo=127.0.0.1%3A5000%2Fteam%2Fapp&tag=1.0"}};
    for (const auto& one : rows) {
      CHECK(text(requests::image_tag("sha256:0a", one.reference, why)) ==
            bare("POST /v1.51/images/sha256:0a/tag?" + std::string(one.query), "", true));
    }
    CHECK(requests::image_tag("a", "App", why).error() == errc::invalid_reference);
    CHECK(requests::image_tag("a", "app@sha256:" + std::string(64, 'a'), why).error() ==
          errc::invalid_argument);
    CHECK(why.client_message().find("a digest cannot be given") != std::string::npos);
  }

  TEST_CASE("list: only what was asked for") {
    diagnostics why;
    image_list_options options;
    CHECK(text(requests::image_list(options, newest, why)) == bare("GET /v1.51/images/json"));
    options.all = true;
    options.shared_size = true;
    options.filters = {{"label", {"b=c", "a"}}, {"dangling", {"true"}}};
    CHECK(text(requests::image_list(options, newest, why)) ==
          bare("GET /v1.51/images/json?all=1&filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%2C"
               "%22label%22%3A%7B%22a%22%3Atrue%2C%22b%3Dc%22%3Atrue%7D%7D&shared-size=1"));
    CHECK(requests::image_list(options, {1, 41}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the shared size of images needs API 1.42, this daemon speaks 1.41");
  }

  TEST_CASE("prune: what has no name, or all") {
    image_prune_options options;
    CHECK(text(requests::image_prune(options)) ==
          bare("POST /v1.51/images/prune?filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%7D", "", true));
    options.all = true;
    options.filters = {{"until", {"24h"}}};
    CHECK(text(requests::image_prune(options)) ==
          bare("POST /v1.51/images/prune?filters=%7B%22dangling%22%3A%7B%22false%22%3Atrue%7D%2C%22until%22%"
               "3A%7B%2224h%22%3Atrue%7D%7D",
               "", true));
  }

  TEST_CASE("search") {
    image_search_options options;
    CHECK(text(requests::image_search("a b/c", options)) == bare("GET /v1.51/images/search?term=a+b%2Fc"));
    options.limit = 5;
    options.filters = {{"stars", {"3"}}};
    CHECK(text(requests::image_search("x", options)) ==
          bare("GET /v1.51/images/"
               "search?filters=%7B%22stars%22%3A%7B%223%22%3Atrue%7D%7D&limit=5&term=x"));
  }

  TEST_CASE("save: every name, a platform since 1.48") {
    diagnostics why;
    image_save_options options;
    CHECK(text(requests::image_save({"b:1", "a/c"}, options, newest, why)) ==
          bare("GET /v1.51/images/get?names=b%3A1&names=a%2Fc"));
    CHECK(requests::image_save({"a"}, options, newest, why)->silent);
    CHECK(requests::image_save({}, options, newest, why).error() == errc::invalid_argument);
    options.platform = "linux/arm/v7";
    CHECK(
        text(requests::image_save({"a"}, options, newest, why)) ==
        bare("GET /v1.51/images/get?names=a&platform=%7B%22architecture%22%3A%22arm%22%2C%22os%22%3A%22linux"
             "%22%2C%22variant%22%3A%22v7%22%7D"));
    CHECK(requests::image_save({"a"}, options, {1, 47}, why).error() == errc::unsupported_parameter);
    CHECK(why.client_message() == "the platform of a saved image needs API 1.48, this daemon speaks 1.47");
  }

  TEST_CASE("load and import are sent a tar") {
    diagnostics why;
    image_load_options load;
    const std::string type = "Content-Type: application/x-tar\r\n";
    CHECK(text(requests::image_load(load, newest, why)) ==
          bare("POST /v1.51/images/load?quiet=0", type, true));
    load.quiet = true;
    load.platform = "linux/amd64";
    CHECK(
        text(requests::image_load(load, newest, why)) ==
        bare("POST /v1.51/images/load?platform=%7B%22architecture%22%3A%22amd64%22%2C%22os%22%3A%22linux%22%"
             "7D&quiet=1",
             type, true));
    CHECK(requests::image_load(load, {1, 47}, why).error() == errc::unsupported_parameter);

    image_import_options import;
    CHECK(text(requests::image_import(import, newest, why)) ==
          bare("POST /v1.51/images/create?fromSrc=-", type, true));
    import.reference = "team/app:1";
    import.message = "by hand";
    import.changes = {"CMD [\"x\"]", "ENV A=1"};
    import.platform = "linux/amd64";
    CHECK(text(requests::image_import(import, newest, why)) ==
          bare("POST /v1.51/images/create?changes=CMD+%5B%22x%22%5D&changes=ENV+A%3D1&fromSrc=-&message=by+"
               "hand&platform=linux%2Famd64&repo=team%2Fapp&tag=1",
               type, true));
    CHECK(requests::image_import(import, {1, 31}, why).error() == errc::unsupported_parameter);
    import.reference = "App";
    CHECK(requests::image_import(import, newest, why).error() == errc::invalid_reference);
  }

  TEST_CASE("a platform is OS/ARCH or OS/ARCH/VARIANT") {
    for (const auto* bad : {"linux", "", "linux/", "/amd64", "a/b/c/d"}) {
      diagnostics why;
      CHECK(requests::platform_object(bad, why).error() == errc::invalid_argument);
      CHECK(why.client_message().find("OS/ARCH") != std::string::npos);
    }
    diagnostics why;
    CHECK(*requests::platform_object("linux/amd64", why) == R"({"architecture":"amd64","os":"linux"})");
  }

  TEST_CASE("where a reference's tag begins") {
    struct row {
      std::string_view reference, name, tag;
    };
    const std::string digest = "sha256:" + std::string(64, 'a');
    const std::string pinned = "127.0.0.1:5000/app@" + digest;
    const row rows[] = {{"app", "app", ""},
                        {"app:1", "app", "1"},
                        {"h:5000/app", "h:5000/app", ""},
                        {"h:5000/app:1", "h:5000/app", "1"},
                        {pinned, "127.0.0.1:5000/app", digest}};
    for (const auto& one : rows) {
      CHECK(requests::split_reference(one.reference).name == one.name);
      CHECK(requests::split_reference(one.reference).tag == one.tag);
    }
  }
}

}  // namespace dockline::engine
