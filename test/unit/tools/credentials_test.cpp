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
}

}  // namespace dockline::tool
