#pragma once

// The requests of the image endpoints, from their options, without I/O.

#include "dockline/engine/image_archive.hpp"
#include "dockline/engine/image_list.hpp"
#include "dockline/engine/images.hpp"

#include "engine/endpoint.hpp"

#include <string_view>

namespace dockline::engine::requests {

endpoint image_inspect(std::string_view name);
endpoint image_history(std::string_view name);
// Errors: errc::invalid_reference and errc::invalid_argument for a reference that cannot be given.
result<endpoint> image_tag(std::string_view name, std::string_view reference, diagnostics& why);
endpoint image_remove(std::string_view name, const image_remove_options& options);

// Errors of these: errc::unsupported_parameter for what `version` lacks; errc::invalid_argument and
// errc::invalid_reference.
result<endpoint> image_list(const image_list_options& options, api_version version, diagnostics& why);
endpoint image_prune(const image_prune_options& options);
endpoint image_search(std::string_view term, const image_search_options& options);
result<endpoint> image_save(const std::vector<std::string>& names, const image_save_options& options,
                            api_version version, diagnostics& why);
result<endpoint> image_load(const image_load_options& options, api_version version, diagnostics& why);
result<endpoint> image_import(const image_import_options& options, api_version version, diagnostics& why);

// {"OS":"linux","Architecture":"arm","Variant":"v7"} of "linux/arm/v7", as push, save and load take it.
// Errors: errc::invalid_argument.
result<std::string> platform_object(std::string_view platform, diagnostics& why);

// A reference as the API's pair of `repo` and `tag`, both as they were written: "app:1" is "app" and "1". The
// tag is empty when there is none; a digest is one.
struct name_and_tag {
  std::string_view name;
  std::string_view tag;
};
name_and_tag split_reference(std::string_view reference);

}  // namespace dockline::engine::requests
