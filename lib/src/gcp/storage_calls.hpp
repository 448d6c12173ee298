#pragma once

#include "dockline/gcp/storage.hpp"

#include "gcp/client_state.hpp"

#include <memory>
#include <optional>
#include <string>

namespace dockline::gcp {

// As the operations of storage.hpp, inside one.
task<stored_object> upload(std::shared_ptr<client_state> state, source_factory source, upload_options options,
                           progress::event_sink on_event, diagnostics& why);
task<std::optional<stored_object>> find_object(std::shared_ptr<client_state> state, std::string bucket,
                                               std::string object, diagnostics& why);
task<void> delete_stored(std::shared_ptr<client_state> state, std::string bucket, std::string object,
                         std::string generation, diagnostics& why);

}  // namespace dockline::gcp
