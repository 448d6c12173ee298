#include "buildkit/remove_entry.hpp"

#include "core/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dockline::buildkit {
namespace {

struct closes_listing {
  void operator()(DIR* listing) const noexcept { ::closedir(listing); }
};

// The names in a directory; false leaves the reason in errno.
bool list_names(int directory, std::vector<std::string>& names) {
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return false;
  const std::unique_ptr<DIR, closes_listing> listing(::fdopendir(again));
  if (!listing) {
    ::close(again);
    return false;
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) return errno == 0;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

}  // namespace

bool remove_entry(int folder, const char* name) {
  if (::unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
  // Of a directory Linux says the first; POSIX has the second, which has other reasons as well.
  const int refused = errno;
  if (refused != EISDIR && refused != EPERM) return false;
  const descriptor within(::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!within) {
    if (errno == ENOTDIR) errno = refused;
    return false;
  }
  // What a directory lists while its entries go is not defined.
  std::vector<std::string> names;
  if (!list_names(within.get(), names)) return false;
  for (const std::string& one : names) {
    if (!remove_entry(within.get(), one.c_str())) return false;
  }
  return ::unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

}  // namespace dockline::buildkit
