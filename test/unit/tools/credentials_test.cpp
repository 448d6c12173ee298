#include "credentials.hpp"

#include <doctest/doctest.h>

namespace dockline::tool {

TEST_SUITE("tools/credentials") {
  TEST_CASE("proxies become build arguments, in both spellings, behind those that were given") {
    engine::proxy_settings proxies;
    proxies.http = "http://p:1";
    proxies.no = "localhost";
    engine::build_options options;
    options.build_args["HTTP_PROXY"] = "mine";
    options.build_args["OTHER"] = std::nullopt;
    add_proxies(proxies, options);
    CHECK(options.build_args ==
          std::map<std::string, std::optional<std::string>>{{"HTTP_PROXY", "mine"},
                                                            {"NO_PROXY", "localhost"},
                                                            {"OTHER", std::nullopt},
                                                            {"http_proxy", "http://p:1"},
                                                            {"no_proxy", "localhost"}});
    proxies.https = "a";
    proxies.ftp = "b";
    proxies.all = "c";
    add_proxies(proxies, options);
    CHECK(options.build_args["https_proxy"] == "a");
    CHECK(options.build_args["FTP_PROXY"] == "b");
    CHECK(options.build_args["ALL_PROXY"] == "c");
  }

  TEST_CASE("and the environment of a container, where nothing else was asked for") {
    engine::proxy_settings proxies;
    proxies.http = "http://p:1";
    proxies.https = "http://p:2";
    proxies.no = "localhost";
    std::vector<std::string> env = {"A=1", "HTTP_PROXY=mine"};
    // no_proxy was named without a value: it stays unset.
    add_proxies(proxies, {"A=1", "HTTP_PROXY=mine", "no_proxy"}, env);
    CHECK(env == std::vector<std::string>{"A=1", "HTTP_PROXY=mine", "http_proxy=http://p:1",
                                          "HTTPS_PROXY=http://p:2", "https_proxy=http://p:2",
                                          "NO_PROXY=localhost"});
  }
}

}  // namespace dockline::tool
