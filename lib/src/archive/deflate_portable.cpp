// Where ISA-L is not there: zlib at every level.

#include "archive/deflate.hpp"

namespace dockline::archive {

std::unique_ptr<block_deflater> make_block_deflater(int level) { return make_zlib_deflater(level); }

}  // namespace dockline::archive
