#pragma once

// What clients are told, as JSON on one line. Texts may come from anywhere: from clients, files, the daemon.

#include <dockline/containerize/image_builder.hpp>

#include <string>
#include <string_view>

namespace sample {

// {"message":"…"}
std::string message_json(std::string_view message);

// {"builds":2}
std::string health_json(int builds);

// {"image":"…","digest":"sha256:…","builder":"buildkit","warnings":["…"]}
std::string image_json(const dockline::containerize::containerized_image& image);

}  // namespace sample
