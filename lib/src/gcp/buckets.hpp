#pragma once

#include "dockline/gcp/storage.hpp"

#include "gcp/client_state.hpp"

#include <memory>
#include <optional>
#include <string>

namespace dockline::gcp {

enum class bucket_outcome { created, was_there };

// Creates the bucket of an upload. When the name is taken it has to be by the
// same project: a bucket of somebody else would be given the context to keep. Errors: errc::conflict for a
// bucket of somebody else; errc::denied; errc::invalid_argument without a project.
task<bucket_outcome> create_bucket(std::shared_ptr<client_state> state, const upload_options& options,
                                   diagnostics& why);

// As async_find_bucket().
task<std::optional<stored_bucket>> find_bucket(std::shared_ptr<client_state> state, std::string bucket,
                                               diagnostics& why);

}  // namespace dockline::gcp
