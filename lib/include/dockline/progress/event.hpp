#pragma once

// What happens while an operation runs, in one vocabulary whichever builder does the work.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dockline::progress {

// By the system's clock.
using event_time = std::chrono::system_clock::time_point;

// Which of a program's two streams wrote something.
enum class output_stream {
  out,  // standard output
  err   // standard error
};

// How far the build context has come. `complete` is set once, on the last one.
struct context_progress {
  std::uint64_t entries = 0;     // files, directories and links packed so far
  std::uint64_t bytes = 0;       // of the tar, before compression
  std::uint64_t bytes_sent = 0;  // handed to the transport, after compression
  bool complete = false;         // all of it has been sent
  // The builder tells of it, too, as a part of a step: nothing that has to be shown again.
  bool in_step = false;
};

// A step of the build. `index` counts from 1 and names the step in every later event; `total` is 0 when the
// builder does not tell it.
struct step_started {
  int index = 0;           // from 1
  int total = 0;           // of how many; 0: not known; for BuildKit: how many are known so far
  std::string name;        // the instruction: "COPY . /app"
  std::string title = {};  // what the builder calls the step, where that is more: "[builder 2/4] COPY . /app"
};
// The step's result was taken from the cache; a step_finished follows.
struct step_cached {
  int index = 0;  // of the step, from 1
};
// The step is over; it worked.
struct step_finished {
  int index = 0;  // of the step, from 1
};
// The step ended with an error, and the build with it.
struct step_failed {
  int index = 0;                 // of the step, from 1
  std::optional<int> exit_code;  // of the command; empty where none ran
  std::string reason;            // in the builder's words
  bool cancelled = false;        // it was stopped, since the build was or since another step had failed
  // Of the step that the build failed by, as in dockline::failed_step; empty where it is not known.
  std::string log_tail = {};  // the last lines that it wrote, '\n' after each
  std::string file = {};      // the Dockerfile's name
  int first_line = 0;         // of the instruction there, counted from 1; 0: not known
  int last_line = 0;          // at least `first_line`
  std::string excerpt = {};   // those lines and some around them, numbered and marked, '\n' after each
};

// Something that a step does, as far as it has come: a transfer, a download, the export of an image. `id`
// says what, and tells it from others of the step.
struct step_status {
  int index = 0;              // of the step, from 1
  std::string id;             // in the builder's words: "transferring context:"
  std::uint64_t current = 0;  // bytes
  std::uint64_t total = 0;    // bytes; 0 is unknown
  bool complete = false;      // it is over
};

// Bytes that a step (index 0: no step) wrote, cut anywhere.
struct step_log {
  int index = 0;  // of the step; 0: of none
  // Which of the two, where the builder tells: dockerd's classic one does, by the colour of stderr.
  output_stream stream = output_stream::out;
  std::string bytes;  // with line ends and escape sequences, as they came
};

// Where a layer is on its way. A push goes from `preparing` to `pushed`, a pull from `pulling_fs_layer` to
// `pull_complete`; `already_exists`, `layer_already_exists` and `mounted` end one that need not be sent.
enum class layer_phase {
  none,                  // a line about the image, or one in words that are not known here
  pulling_fs_layer,      // a pull: the layer is known
  waiting,               // for others to be done first
  downloading,           // with bytes
  verifying_checksum,    // it is all there
  download_complete,     // and right
  extracting,            // with bytes
  pull_complete,         // a pull: done
  already_exists,        // a pull: the daemon has it
  preparing,             // a push: the layer is known
  pushing,               // with bytes
  pushed,                // a push: done
  layer_already_exists,  // a push: the registry has it
  mounted,               // a push: the registry took it from another repository
  retrying,              // something failed, and is tried again
  loading,               // a load: with bytes
};

// A layer that is pulled, pushed or loaded, or, with the phase `none`, a line about the whole image.
struct layer_progress {
  std::string id;             // of the layer: a short digest; of a line about the image: its tag, or empty
  std::string status;         // in the daemon's words: "Downloading"
  std::uint64_t current = 0;  // bytes; may exceed `total`, and is 0 where the daemon counts something else
  std::uint64_t total = 0;    // bytes; 0 is unknown
  layer_phase phase = layer_phase::none;  // what `status` says, as a value
};

// A push or pull has reached its end, once for each tag.
struct transfer_finished {
  std::string tag;         // empty when the daemon did not tell it
  std::string digest;      // of the manifest: "sha256:" and 64 digits; podman's pull does not tell it
  std::uint64_t size = 0;  // of the manifest in bytes; 0 for a pull
};

// An image that a load or import has brought.
struct image_loaded {
  std::string reference;  // its name, or "sha256:" and 64 digits where it has none
};

// Something that did not stop the operation and that a person should know.
struct warning {
  std::string text;                       // one line or more, without a final line end
  int index = 0;                          // of the step; 0: of none
  std::string file = {};                  // the Dockerfile, where the builder tells what part of it is meant
  int first_line = 0;                     // counted from 1; 0: not told
  int last_line = 0;                      // at least `first_line`
  std::vector<std::string> details = {};  // more words about it
  std::string url = {};                   // where it is explained
};

// Which of a daemon's builders builds, when there was a choice.
struct builder_chosen {
  std::string builder;  // "buildkit" or "classic"
  std::string reason;   // why, for people
};

// The build has made an image.
struct image_built {
  std::string id;  // "sha256:" and 64 hexadecimal digits
};
// The image has got a name.
struct image_tagged {
  std::string reference;  // "docker.io/library/app:1" as the daemon or the caller wrote it
};

// All that can happen. A `std::visit` without a generic case finds what was forgotten.
using event_body = std::variant<context_progress, step_started, step_cached, step_finished, step_failed,
                                step_log, layer_progress, transfer_finished, warning, image_built,
                                image_tagged, image_loaded, step_status, builder_chosen>;

// What happened, and when.
struct event {
  event_time time;  // when
  event_body body;  // what
};

// Called for each event, in order, on the operation's executor. It may not block, nor throw.
using event_sink = std::function<void(const event&)>;

}  // namespace dockline::progress
