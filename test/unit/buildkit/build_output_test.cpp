#include "buildkit/build_output.hpp"

#include "dockline/core/diagnostics.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::buildkit {
namespace {

using output_kind = build_output::kind;

// What an output is read as, in one line.
std::string as_read(std::string_view text) {
  diagnostics why;
  const auto output = parse_output(text, why);
  if (!output) {
    CHECK(output.error() == errc::invalid_argument);
    return why.client_message();
  }
  static constexpr const char* kinds[] = {"image", "local", "tar", "oci", "docker", "none"};
  std::string line = kinds[static_cast<int>(output->type)];
  if (!output->destination.empty()) line += " to " + output->destination;
  for (const std::string& name : output->names) line += " as " + name;
  if (output->push) line += " pushed";
  for (const auto& [name, value] : output->attributes) line += ' ' + name + '=' + value;
  return line;
}

}  // namespace

TEST_SUITE("buildkit/build_output") {
  TEST_CASE("an output as docker has it on its command line") {
    struct row {
      std::string_view given, read;
    };
    static constexpr row rows[] = {
        {"out", "local to out"},
        {"-", "tar to -"},
        {R"("-")", "tar to -"},
        {R"("a,b")", "local to a,b"},
        {"type=local,dest=out", "local to out"},
        {"type=tar,dst=a.tar", "tar to a.tar"},
        {"destination=a.tar,type=tar", "tar to a.tar"},
        {"type=tar,dest=-", "tar to -"},
        {R"(type=oci,"dest=a,b.tar")", "oci to a,b.tar"},
        {R"(type=oci,"dest=a""b.tar")", "oci to a\"b.tar"},
        {"type=oci,dest=a.tar,compression=zstd,name=app:1", "oci to a.tar compression=zstd name=app:1"},
        {"type=docker,dest=a.tar", "docker to a.tar"},
        {"type=cacheonly", "none"},
        {"type=image", "image"},
        {"type=moby,compression=gzip", "image compression=gzip"},
        {"type=image,name=h:5000/app:1", "image as h:5000/app:1"},
        {R"(type=image,"name=app:1,app:2",push=true)", "image as app:1 as app:2 pushed"},
        {"type=docker", "image"},
        {"type=docker,name=app:1", "image as app:1"},
        {"type=registry", "image pushed"},
        {"type=registry,name=app", "image as app pushed"},
        {"push=1,type=image", "image pushed"},
        {"type=image,push=false,push-by-digest=false", "image"},
    };
    for (const row& one : rows) {
      CAPTURE(one.given);
      CHECK(as_read(one.given) == one.read);
    }
  }

  TEST_CASE("what cannot be read is refused by its part") {
    struct row {
      std::string_view given, words;
    };
    static constexpr row rows[] = {
        {"", "written NAME=VALUE,NAME=VALUE"},
        {R"("")", "written NAME=VALUE,NAME=VALUE"},
        {"type=tar,", "written NAME=VALUE,NAME=VALUE"},
        {"type=tar,=x", "written NAME=VALUE,NAME=VALUE"},
        {"type=tar,\"dest=x", "a quote is missing"},
        {"type=tar,\"dest=x\"y", "a quote is missing"},
        {"dest=out", "the type is missing"},
        {"type=zip,dest=x", "the type is image, registry, local, tar, oci, docker or cacheonly"},
        {"type=tar", "a destination is missing"},
        {"type=oci", "a destination is missing"},
        {"type=local", "a destination is missing"},
        {"type=local,dest=-", "a directory cannot be written to standard output"},
        {"type=cacheonly,dest=x", "this type has no destination"},
        {"type=registry,dest=x", "this type has no destination"},
        {"type=image,push=maybe", "push is true or false"},
        {"type=image,push-by-digest=true", "a daemon pushes by names, not by digest alone"},
    };
    for (const row& one : rows) {
      CAPTURE(one.given);
      CHECK(as_read(one.given) == "output \"" + std::string(one.given) + "\": " + std::string(one.words));
    }
  }

  TEST_CASE("what the daemon is told, and what no output can be") {
    CHECK(outputs_parameter(build_output()).empty());
    build_output image;
    image.names = {"app"};
    image.push = true;
    CHECK(outputs_parameter(image).empty());
    image.attributes["compression"] = "gzip";
    CHECK(outputs_parameter(image) == R"([{"Type":"moby","Attrs":{"compression":"gzip"}}])");
    CHECK(outputs_parameter(build_output(output_kind::tar, "a.tar")) == R"([{"Type":"tar","Attrs":{}}])");
    CHECK(outputs_parameter(build_output(output_kind::none)) == R"([{"Type":"local","Attrs":{}}])");
    diagnostics why;
    CHECK(check(image, why));
    CHECK(check(build_output(output_kind::none), why));
    CHECK(check(build_output(output_kind::oci), why).error() == errc::invalid_argument);
    CHECK(why.client_message() == "the output oci needs a destination");
    build_output both(output_kind::tar, "a.tar");
    both.push = true;
    CHECK(check(both, why).error() == errc::invalid_argument);
    CHECK(why.client_message() == "the output tar is no image of the daemon's, to be named or pushed");
    build_output function(output_kind::local);
    function.write = [](std::string_view) { return error_code(); };
    CHECK(check(function, why).error() == errc::invalid_argument);
  }
}

}  // namespace dockline::buildkit
