#include "dockline/archive/content_hash.hpp"

#include "archive/context_source.hpp"
#include "archive/packing.hpp"
#include "core/transfer.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace dockline::archive {
namespace {

constexpr std::size_t read_size = std::size_t{256} << 10;

// The tar is made as for a daemon that takes it at once; its bytes are hashed where they are made.
task<std::string> content_hash(build_context context, diagnostics& why) {
  const auto& state = *context.shared();
  const auto packed = std::make_shared<packing>(state);
  packed->packer.hash_content({});
  const auto source = make_context_source(state, packed);
  std::vector<char> block(read_size);
  for (;;) {
    auto [code, size] = co_await read_some(*source, asio::buffer(block));
    if (code) {
      why = source->why();
      co_return code;
    }
    // What the disk gave may have come just before the request to stop.
    if (co_await is_cancelled()) co_return aborted();
    if (size == 0) break;
  }
  co_return packed->packer.content_hash();
}

}  // namespace

void start_content_hash(boost::asio::any_io_executor executor, build_context context, diagnostics* why,
                        completion_handler<std::string> handler) {
  spawn<std::string>(executor, why, std::move(handler),
                     [context = std::move(context)](diagnostics& where) mutable {
                       return content_hash(std::move(context), where);
                     });
}

}  // namespace dockline::archive
