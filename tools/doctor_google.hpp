#pragma once

#include "command.hpp"
#include "doctor_report.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace dockline::tool {

// What `doctor` is asked to look at in Google Cloud.
struct google_question {
  google_question() = default;

  std::string bucket;   // empty: no server is asked
  std::string project;  // empty: the one that is found
};

// Adds what `doctor` finds of Google Cloud in the environment, and of a bucket where one is named; nothing where
// dockline was built without it. Fails when it is cancelled, and then alone.
boost::asio::awaitable<error_code> look_at_google(boost::asio::any_io_executor executor,
                                                  global_options global, google_question asked,
                                                  std::vector<findings>& all);

}  // namespace dockline::tool
