#include "containerize/google_names.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace dockline::containerize {

TEST_SUITE("containerize/google_names") {
  TEST_CASE("buckets") {
    for (const std::string_view good :
         {"abc", "my-bucket_1", "0a9", "builds.example.com", "1.2.3.4.5", "1.2.3"})
      CHECK_MESSAGE(bucket_name_fault(good) == "", good);
    CHECK(bucket_name_fault(std::string(63, 'a')) == "");
    CHECK(bucket_name_fault(std::string(63, 'a') + "." + std::string(63, 'b')) == "");
    for (const std::string_view bad :
         {"ab", "Bucket", "bucket!", "b\u00fccket", "-abc", "abc-", "_abc", "abc.", ".abc", "a..b",
          "192.168.5.4", "goog-x", "my-google-bucket", "my-g00gle", "my-goog1e", "gs://abc", "a/b/c"})
      CHECK_MESSAGE(bucket_name_fault(bad) != "", bad);
    CHECK(bucket_name_fault(std::string(64, 'a')) == "a bucket's name has 3 to 63 characters");
    CHECK(bucket_name_fault(std::string(64, 'a') + ".b") ==
          "between its dots a bucket's name has 1 to 63 characters");
    std::string longest =
        std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + ".";
    CHECK(bucket_name_fault(longest + std::string(222 - longest.size(), 'd')) == "");
    CHECK(bucket_name_fault(longest + std::string(223 - longest.size(), 'd')) ==
          "a bucket's name with dots has at most 222 characters");
    CHECK(bucket_name_fault("gs://abc") == "a bucket is given by its name alone, without gs://");
  }

  TEST_CASE("projects") {
    for (const std::string_view good : {"abcdef", "my-project-1", "example.com:my-project", "a23456"})
      CHECK_MESSAGE(project_id_fault(good) == "", good);
    CHECK(project_id_fault(std::string(30, 'a')) == "");
    for (const std::string_view bad :
         {"abcde", "123456789012", "-project", "project-", "My-Project", "my_project", "my project",
          "example:my-project", ":my-project", "example.com:"})
      CHECK_MESSAGE(project_id_fault(bad) != "", bad);
    CHECK(project_id_fault(std::string(31, 'a')) == "a project's id has 6 to 30 characters");
  }

  TEST_CASE("regions") {
    for (const std::string_view good : {"global", "europe-west1", "us-central1"})
      CHECK_MESSAGE(region_fault(good) == "", good);
    for (const std::string_view bad : {"", "Europe", "1-west", "europe-", "europe/west1", "a b"})
      CHECK_MESSAGE(region_fault(bad) != "", bad);
  }
}

}  // namespace dockline::containerize
