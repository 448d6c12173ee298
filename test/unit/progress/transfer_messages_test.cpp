#include "progress/transfer_messages.hpp"

#include "support/transfer_stream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dockline::progress {
namespace {

const std::string layer_digits(64, 'a');
const std::string digest = "sha256:" + layer_digits;
const std::string other_digest = "sha256:" + std::string(64, 'b');

std::string status(std::string_view words) { return "{\"status\":\"" + std::string(words) + "\"}\n"; }

error_code push(std::string_view answer) { return decode_transfer(transfer::push, answer).code; }
error_code pull(std::string_view answer) { return decode_transfer(transfer::pull, answer).code; }
error_code load(std::string_view answer) { return decode_transfer(transfer::load, answer).code; }

}  // namespace

TEST_SUITE("progress/transfer_messages") {
  TEST_CASE("a push is done when a digest was told, by a status or by aux") {
    CHECK(push("") == errc::no_outcome);
    CHECK(push(status("The push refers to repository [a]")) == errc::no_outcome);
    CHECK_FALSE(push(status("v1: digest: " + digest + " size: 527")));
    CHECK_FALSE(push("{\"aux\":{\"Tag\":\"v1\",\"Digest\":\"" + digest + "\",\"Size\":527}}"));
    const std::string line = "v1: digest: " + digest;
    const std::vector<std::string> no_outcome = {line, "v1: digest: sha256:12 size: 5", line + " size: x",
                                                 line + " size: ", line + " size: 5 and more"};
    for (const std::string& words : no_outcome) CHECK(push(status(words)) == errc::no_outcome);
    // Of a layer it is no outcome, whatever it says.
    CHECK(push("{\"status\":\"v1: digest: " + digest + " size: 5\",\"id\":\"a\"}") == errc::no_outcome);
    CHECK(push("{\"aux\":\"x\"}{\"aux\":{\"Digest\":7}}") == errc::no_outcome);
  }

  TEST_CASE("a push of all tags tells the digest of each, once") {
    CHECK(decode_transfer(transfer::push, status("v1: digest: " + digest + " size: 5") +
                                              "{\"aux\":{\"Tag\":\"v1\",\"Digest\":\"" + digest +
                                              "\",\"Size\":5}}" +
                                              status("v2: digest: " + other_digest + " size: 6"))
              .listing == "transfer_finished \"v1\" \"" + digest + "\" size=5\n" +
                              "transfer_finished \"v2\" \"" + other_digest + "\" size=6\n" +
                              "outcome: done\ndigest: " + other_digest + " size=6 tag \"v2\"\n");
  }

  TEST_CASE("a pull is done with dockerd's Status line, or when podman ends with the image's id") {
    const std::string complete = "{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"aa\"}\n";
    CHECK(pull("") == errc::no_outcome);
    CHECK(pull(status("Digest: " + digest)) == errc::no_outcome);
    CHECK_FALSE(pull(status("Digest: " + digest) + status("Status: Image is up to date for a:1")));
    CHECK_FALSE(pull(complete));
    CHECK(pull(complete + "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"bb\"}") ==
          errc::no_outcome);
    CHECK(pull(complete + "{}") == errc::no_outcome);
    CHECK(pull("{\"status\":\"Pulling from a\",\"id\":\"v1\"}" + complete) == errc::no_outcome);
    CHECK(pull("{\"status\":\"Status: x\",\"id\":\"a\"}") == errc::no_outcome);
  }

  TEST_CASE("a load tells the names of what it brought, dockerd one a line, podman all in one") {
    CHECK(load("") == errc::no_outcome);
    CHECK(load(R"({"stream":"Loaded nothing\n"})") == errc::no_outcome);
    CHECK(decode_transfer(transfer::load,
                          "{\"stream\":\"Loaded image: a:1\\n\"}{\"stream\":\"Loaded image ID: " + digest +
                              "\\nmore\"}{\"stream\":\"Loaded image: b:1,c:1\"}")
              .listing ==
          "step_log 0 out \"more\\n\"\n"
          "image_loaded \"a:1\"\nimage_loaded \"" +
              digest +
              "\"\nimage_loaded \"b:1\"\nimage_loaded \"c:1\"\noutcome: done\n"
              "image: \"a:1\"\nimage: \"" +
              digest + "\"\nimage: \"b:1\"\nimage: \"c:1\"\n");
  }

  TEST_CASE("an error is a failure whatever came before and after it, in either order of its members") {
    const std::string done = status("v1: digest: " + digest + " size: 5");
    for (const auto* error : {R"({"errorDetail":{"message":"no\n"},"error":"other"})", R"({"error":"no"})",
                              R"({"error":"no","errorDetail":{"code":1}})"}) {
      const auto seen = decode_transfer(transfer::push, done + error + done + R"({"error":"later"})");
      CHECK(seen.code == errc::operation_failed);
      CHECK(seen.listing.ends_with("outcome: the operation failed\nfailure: \"no\"\n"));
      CHECK(seen.listing.find("transfer_finished") == std::string::npos);
    }
    CHECK(push(done + R"({"error":7})") == errc::operation_failed);
  }

  TEST_CASE("a registry's error code decides, where the daemon passes it on as a link of its own") {
    CHECK(registry_failure("unauthorized: authentication required") == errc::unauthorized);
    CHECK(registry_failure("no basic auth credentials") == errc::unauthorized);
    CHECK(
        registry_failure("trying to reuse blob a at destination: checking whether a blob a exists in h:1/b: "
                         "authentication required") == errc::unauthorized);
    CHECK(
        registry_failure("unknown: unexpected status from HEAD request to http://a/v2/b: 401 Unauthorized") ==
        errc::unauthorized);
    CHECK(registry_failure("pull access denied for a: denied: requested access is denied") == errc::denied);
    CHECK(registry_failure("push access denied: authorization failed: no basic auth credentials") ==
          errc::unauthorized);
    CHECK(registry_failure("manifest for a:1 not found: manifest unknown: manifest unknown\n") ==
          errc::not_found);
    CHECK(registry_failure("tag does not exist: 127.0.0.1:5000/a:v1") == errc::not_found);
    for (const auto* words :
         {"", ": ", "the unauthorized", "not found it", "unauthorized:denied", "lookup a"})
      CHECK(registry_failure(words) == errc::operation_failed);
  }

  TEST_CASE("bytes of a layer: more than there are, negative, and what is no bytes at all") {
    CHECK(
        decode_transfer(
            transfer::pull,
            R"({"status":"Pushing","progressDetail":{"current":2140160,"total":1985709},"id":"a"})"
            R"({"status":"Downloading","progressDetail":{"current":-5,"total":1.5},"id":"b"})"
            R"({"status":"Extracting","progressDetail":{"current":3,"units":"s"},"progress":"3 s","id":"c"})")
            .listing ==
        "layer_progress \"a\" \"Pushing\" 2140160/1985709 pushing\n"
        "layer_progress \"b\" \"Downloading\" 0/0 downloading\n"
        "layer_progress \"c\" \"Extracting\" 0/0 extracting\n"
        "outcome: the answer ended with neither a result nor an error\n");
  }

  TEST_CASE("what dockerd 28 notes beside a push becomes a warning") {
    const auto seen = decode_transfer(
        transfer::push, R"({"aux":{"manifestPushedInsteadOfIndex":true,"selectedManifest":{"digest":"d"}}})"
                        R"({"aux":{"contentMissing":true,"desc":{"digest":"e"}}})");
    CHECK(seen.listing ==
          "warning \"only this machine's platform was pushed: d, since the other platforms of the image "
          "are not here\"\n"
          "warning \"the image names platforms whose content is not here: e\"\n"
          "outcome: the answer ended with neither a result nor an error\n");
  }

  TEST_CASE("what is no JSON ends the decoding; JSON of another shape does nothing") {
    CHECK(push("{\"status\":}") == errc::malformed_json);
    CHECK(push("[] 7 \"x\" {} {\"status\":7} {\"id\":\"a\"} null") == errc::no_outcome);
  }

  TEST_CASE("however many results a daemon claims, what is kept is bounded") {
    transfer_messages messages(transfer::push, {});
    for (int i = 0; i < 3000; ++i)
      CHECK_FALSE(messages.add(status("v" + std::to_string(i) + ": digest: " + digest + " size: 5"), {}));
    CHECK_FALSE(messages.finish({}));
    CHECK(messages.finished().size() <= 1000);
    transfer_messages loads(transfer::load, {});
    CHECK_FALSE(loads.add("{\"stream\":\"Loaded image: " + std::string(100'000, 'x') + ",a,,b\"}", {}));
    CHECK_FALSE(loads.finish({}));
    CHECK(loads.images() == std::vector<std::string>{"a", "b"});
  }
}

}  // namespace dockline::progress
