#pragma once

// Who builds: the one interface behind which a daemon and Google Cloud Build look the same.

#include "dockline/archive/build_context.hpp"
#include "dockline/core/async.hpp"
#include "dockline/core/export.hpp"
#include "dockline/progress/event.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dockline::containerize {

// What is to be built.
struct image_order {
  image_order() = default;

  // The tree: its directory, the Dockerfile (a text) and the files laid in. How its ignore file is read and
  // how it is compressed is the builder's choice.
  archive::context_options context;
  std::string image;       // the name that the image gets
  std::string cache_from;  // an image whose layers may serve as cache; empty: none
  bool push = true;        // to the registry that the name begins with
};

// What was made, and by whom.
struct containerized_image {
  containerized_image() = default;

  std::string image_uri;         // as it was ordered
  std::string digest;            // "sha256:…", by which the registry knows it; empty unless it was pushed
  std::string builder;           // "classic", "buildkit" or "cloud-build"
  int steps = 0;                 // of the Dockerfile, as far as the builder told
  int cached = 0;                // steps whose result was there already
  std::uint64_t bytes_sent = 0;  // of the context
  std::vector<std::string> warnings;  // all of them, also those that were events
};

// Whether a registry, or the builder's own store, has an image.
enum class image_presence : std::uint8_t {
  present,  // it can be built from
  absent,   // nobody has it under this name
  unknown   // it was not found out
};

// Whether an image is there.
struct image_lookup {
  image_lookup() = default;

  image_presence presence = image_presence::unknown;  // what was found
  std::string reason;                                 // why it is absent or unknown, for people
};

// A builder serves many operations at once; each keeps it until it is over.
class DOCKLINE_API image_builder {
 public:
  virtual ~image_builder() = default;

  // Where handlers without an executor of their own complete.
  virtual boost::asio::any_io_executor get_executor() const = 0;

  // Whether `image` is there to be built from. Changes nothing. Not finding out is no error.
  virtual void start_look_up(std::string image, diagnostics* why,
                             completion_handler<image_lookup> handler) = 0;

  // Builds, and pushes if that is ordered. Cancellation: any type; what was begun elsewhere is stopped there.
  virtual void start_build(image_order order, progress::event_sink on_event, diagnostics* why,
                           completion_handler<containerized_image> handler) = 0;
};

}  // namespace dockline::containerize
