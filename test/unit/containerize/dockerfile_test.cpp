#include "containerize/dockerfile.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::containerize {

TEST_SUITE("containerize/dockerfile") {
  TEST_CASE("the least") {
    dockerfile_parts parts;
    parts.parent_image = "tensorflow/tensorflow:2.15.0";
    parts.destination_dir = "/app/";
    parts.entry_point = "train.py";
    diagnostics why;
    CHECK(*make_dockerfile(parts, why) ==
          "FROM tensorflow/tensorflow:2.15.0\n"
          "WORKDIR /app/\n"
          "COPY [\".\", \"./\"]\n"
          "ENTRYPOINT [\"python\", \"train.py\"]\n");
  }

  TEST_CASE("requirements and the TPU client come before the code") {
    dockerfile_parts parts;
    parts.parent_image = "base";
    parts.destination_dir = "/srv";
    parts.requirements = "deps/requirements.txt";
    parts.tpu_client = true;
    parts.entry_point = "main.py";
    diagnostics why;
    CHECK(*make_dockerfile(parts, why) ==
          "FROM base\n"
          "WORKDIR /srv\n"
          "COPY [\"deps/requirements.txt\", \"./\"]\n"
          "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"-r\", \"requirements.txt\"]\n"
          "RUN [\"pip\", \"install\", \"--no-cache-dir\", \"cloud-tpu-client\"]\n"
          "COPY [\".\", \"./\"]\n"
          "ENTRYPOINT [\"python\", \"main.py\"]\n");
  }

  TEST_CASE("words of an instruction that expands variables") {
    CHECK(dockerfile_word("/app/x-1_2.3") == "/app/x-1_2.3");
    CHECK(dockerfile_word("/my app") == "\"/my app\"");
    CHECK(dockerfile_word("/a$b\"c\\d'e") == "\"/a\\$b\\\"c\\\\d'e\"");
    CHECK(dockerfile_word("/\u00fc") == "\"/\u00fc\"");
    CHECK(dockerfile_word("/x\\") == "\"/x\\\\\"");
    CHECK(dockerfile_word("") == "\"\"");
  }

  TEST_CASE("strings of the JSON form") {
    CHECK(dockerfile_json("a b$c'd") == "\"a b$c'd\"");
    CHECK(dockerfile_json("q\"b\\t\tz\x01") == "\"q\\\"b\\\\t\\u0009z\\u0001\"");
    CHECK(dockerfile_json("\u00fc") == "\"\u00fc\"");
  }

  TEST_CASE("sources of COPY have variables, and may not be patterns") {
    CHECK(dockerfile_source("a b.txt") == "\"a b.txt\"");
    CHECK(dockerfile_source("$x.txt") == "\"\\\\$x.txt\"");
    CHECK(dockerfile_source("it's") == "\"it\\\\'s\"");
    CHECK(dockerfile_source("<<EOF.txt") == "\"./<<EOF.txt\"");
    diagnostics why;
    for (const std::string name : {"a*.txt", "a?.txt", "[a].txt", "a\\b.txt"}) {
      dockerfile_parts parts;
      parts.parent_image = "base";
      parts.destination_dir = "/app/";
      parts.requirements = name;
      parts.entry_point = name;
      CHECK(make_dockerfile(parts, why).error() == errc::invalid_argument);
      parts.requirements.clear();
      CHECK(make_dockerfile(parts, why).has_value());
    }
  }

  TEST_CASE("a name that begins with '-' is no option") {
    dockerfile_parts parts;
    parts.parent_image = "base";
    parts.destination_dir = "/app/";
    parts.requirements = "-r.txt";
    parts.entry_point = "-c.py";
    diagnostics why;
    const std::string text = *make_dockerfile(parts, why);
    CHECK(text.find("\"-r\", \"./-r.txt\"]") != text.npos);
    CHECK(text.find("ENTRYPOINT [\"python\", \"./-c.py\"]") != text.npos);
  }

  TEST_CASE("a line break is refused wherever it stands") {
    for (const std::string& bad : {std::string("a\nRUN x"), std::string("a\rb"), std::string("a\0b", 3)}) {
      for (std::string dockerfile_parts::*field :
           {&dockerfile_parts::destination_dir, &dockerfile_parts::requirements,
            &dockerfile_parts::entry_point}) {
        dockerfile_parts parts;
        parts.parent_image = "base";
        parts.destination_dir = "/app/";
        parts.entry_point = "a.py";
        parts.*field = bad;
        diagnostics why;
        CHECK(make_dockerfile(parts, why).error() == errc::invalid_argument);
        CHECK(why.client_message().find("a path here has no line breaks and no NUL") != std::string::npos);
      }
    }
  }
}

}  // namespace dockline::containerize
