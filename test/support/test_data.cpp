// The one source that knows where the tree lies, so that all others compile to the same object in any checkout.

#include "support/test_data.hpp"

namespace dockline {

std::filesystem::path test_data() { return DOCKLINE_TEST_DATA; }

}  // namespace dockline
