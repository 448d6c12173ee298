#pragma once

namespace dockline::buildkit {

// Removes what the open directory `folder` has of this name, a directory with all that is in it. No symbolic link is
// followed. Nothing of that name is a success; false leaves the reason in errno, and perhaps a part of a directory.
bool remove_entry(int folder, const char* name);

}  // namespace dockline::buildkit
