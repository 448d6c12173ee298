#include "gcp/storage_requests.hpp"

#include "unit/gcp/call_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dockline::gcp {
namespace {

upload_options to_the_object() {
  upload_options some;
  some.bucket = "b1";
  some.object = "a/b c.tar.gz";
  return some;
}

std::vector<http::body_part> bytes(const char* what) {
  return {http::body_part(nullptr, boost::asio::buffer(what, std::char_traits<char>::length(what)))};
}

const std::string storage_base = "https://s.example";

}  // namespace

TEST_SUITE("gcp/storage_requests") {
  TEST_CASE("a session, and all in one request") {
    CHECK(text(open_upload_session(storage_base, to_the_object())) ==
          "POST https://s.example/upload/storage/v1/b/b1/"
          "o?uploadType=resumable&name=a%2Fb+c.tar.gz&ifGenerationMatch=0\n"
          "Content-Type: application/json; charset=UTF-8\nX-Upload-Content-Type: application/gzip\n\n"
          R"({"contentType":"application/gzip"})");
    upload_options over = to_the_object();
    over.keep_existing = false;
    CHECK(
        open_upload_session(storage_base, over).url.ends_with("o?uploadType=resumable&name=a%2Fb+c.tar.gz"));
    CHECK(text(upload_whole(storage_base, to_the_object(), "AAAAAA==", bytes("content"), "B")) ==
          "POST https://s.example/upload/storage/v1/b/b1/"
          "o?uploadType=multipart&name=a%2Fb+c.tar.gz&ifGenerationMatch=0\n"
          "Content-Type: multipart/related; boundary=B\n\n"
          "--B\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
          R"({"name":"a/b c.tar.gz","contentType":"application/gzip","crc32c":"AAAAAA=="})"
          "\r\n--B\r\nContent-Type: application/gzip\r\n\r\ncontent\r\n--B--\r\n");
  }

  TEST_CASE("the steps of a session") {
    resumable_upload upload(resumable_upload::unit, resumable_upload::unit, true,
                            retry_schedule(retry_options(), [] { return 0.0; }));
    upload.feed(resumable_upload::unit);
    upload_answer opened;
    opened.status = 200;
    opened.location = "https://s.example/up?upload_id=x";
    upload.answered(opened, {});
    CHECK(text(continue_upload(upload, bytes("1"))) ==
          "PUT https://s.example/up?upload_id=x\nContent-Range: bytes 0-262143/*\n\n1");
    upload.lost({});
    upload.resume({});
    CHECK(text(continue_upload(upload, {})) ==
          "PUT https://s.example/up?upload_id=x\nContent-Range: bytes */*\n\n");
    upload_answer has;
    has.status = 308;
    has.range = "bytes=0-262143";
    upload.answered(has, {});
    upload.feed(3);
    upload.feed_end("CRC");
    CHECK(text(continue_upload(upload, bytes("123"))) ==
          "PUT https://s.example/up?upload_id=x\nContent-Range: bytes 262144-262146/262147\n"
          "x-goog-hash: crc32c=CRC\n\n123");
    CHECK(text(drop_upload_session("https://s.example/up")) ==
          "DELETE https://s.example/up\nContent-Length: 0\n\n");
  }

  TEST_CASE("objects") {
    CHECK(text(get_object(storage_base, "b1", "a/b c")) ==
          "GET https://s.example/storage/v1/b/b1/o/a%2Fb%20c\n\n");
    CHECK(text(delete_object(storage_base, "b1", "a", "7")) ==
          "DELETE https://s.example/storage/v1/b/b1/o/a?generation=7\n\n");
    CHECK(text(delete_object(storage_base, "b1", "a", "")) ==
          "DELETE https://s.example/storage/v1/b/b1/o/a\n\n");
    CHECK(text(read_object(storage_base, "b1", "log-1.txt", 9)) ==
          "GET https://s.example/storage/v1/b/b1/o/log-1.txt?alt=media\nRange: bytes=9-\n\n");
  }

  TEST_CASE("buckets") {
    upload_options where = to_the_object();
    where.bucket_location = "EU";
    CHECK(text(insert_bucket(storage_base, where, "p1")) ==
          "POST https://s.example/storage/v1/b?project=p1\nContent-Type: application/json; charset=UTF-8\n\n"
          R"({"name":"b1","location":"EU","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true},)"
          R"("publicAccessPrevention":"enforced"},"lifecycle":{"rule":[{"action":{"type":"Delete"},)"
          R"("condition":{"age":30}}]}})");
    where.bucket_location.clear();
    where.bucket_lifetime_days = 0;
    CHECK(insert_bucket(storage_base, where, "p1").body.find("lifecycle") == std::string::npos);
    CHECK(insert_bucket(storage_base, where, "p1").body.find("location") == std::string::npos);
    CHECK(text(list_buckets(storage_base, "p1", "b1")) ==
          "GET https://s.example/storage/v1/b?project=p1&prefix=b1\n\n");
    CHECK(has_bucket(R"({"items":[{"name":"b10"},{"name":"b1"}]})", "b1"));
    for (const char* none : {"", "{}", R"({"items":[{"name":"b10"}]})", R"({"items":{"name":"b1"}})"})
      CHECK_FALSE(has_bucket(none, "b1"));
  }

  TEST_CASE("whose a bucket is, and what may be done with it") {
    CHECK(text(get_bucket(storage_base, "b1")) == "GET https://s.example/storage/v1/b/b1\n\n");
    CHECK(text(test_permissions(storage_base, "b1", {"storage.objects.create", "storage.objects.get"})) ==
          "GET https://s.example/storage/v1/b/b1/iam/"
          "testPermissions?permissions=storage.objects.create&permissions=storage.objects.get\n\n");
    const auto full = read_bucket(R"({"name":"b1","location":"EU","projectNumber":"77"})");
    CHECK(full.name == "b1");
    CHECK(full.location == "EU");
    CHECK(full.project_number == "77");
    CHECK(read_bucket(R"({"projectNumber":77})").project_number == "77");
    for (const char* less : {"", "[]", R"({"projectNumber":"x","location":{}})"}) {
      CHECK(read_bucket(less).project_number.empty());
      CHECK(read_bucket(less).location.empty());
    }
    const std::vector<std::string> wanted{"a", "b"};
    CHECK(missing_in(R"({"permissions":["b","c"]})", wanted) == std::vector<std::string>{"a"});
    for (const char* none : {"", "{}", R"({"permissions":{}})"}) CHECK(missing_in(none, wanted) == wanted);
  }

  TEST_CASE("what an object is, whatever the server tells and how") {
    const auto full = read_object_facts(R"({"size":"5","crc32c":"C","generation":"1700000000000001"})");
    CHECK(full.size == 5);
    CHECK(full.crc32c == "C");
    CHECK(full.generation == "1700000000000001");
    const auto numbers = read_object_facts(R"({"size":5,"generation":7})");
    CHECK(numbers.size == 5);
    CHECK(numbers.generation == "7");
    for (const char* less : {"", "[]", R"({"size":"x","generation":"y"})", R"({"size":-1})"}) {
      CHECK_FALSE(read_object_facts(less).size);
      CHECK(read_object_facts(less).generation.empty());
    }
  }

  TEST_CASE("where a part of a content begins, when that is told") {
    CHECK(read_first_byte("bytes 5-9/10") == 5);
    CHECK(read_first_byte("bytes 18446744073709551615-") == UINT64_MAX);
    for (const char* none :
         {"", "bytes", "bytes */10", "bytes -5", "bytes 18446744073709551616-", "lines 5-9/10"})
      CHECK_MESSAGE(!read_first_byte(none), none);
  }

  TEST_CASE("bucket names") {
    for (const char* good : {"abc", "a-b_c.d", "1.2.3", "my.bucket.example.com", "project_cloudbuild"}) {
      CAPTURE(good);
      CHECK(wrong_bucket_name(good).empty());
    }
    CHECK(wrong_bucket_name(std::string(63, 'a')).empty());
    for (const char* bad : {"", "ab", "Abc", "a b c", "-abc", "abc-", "a..b", "a.-b", "goog-x", "my-google-x",
                            "g00gle1", "10.0.0.1", "gs://abc", "abc/d"}) {
      CAPTURE(bad);
      CHECK_FALSE(wrong_bucket_name(bad).empty());
    }
    CHECK_FALSE(wrong_bucket_name(std::string(64, 'a')).empty());
  }
}

}  // namespace dockline::gcp
