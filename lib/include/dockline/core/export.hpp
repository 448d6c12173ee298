#pragma once

// Marks what a shared library shows. Everything else is hidden, so that a host process may carry its own
// copies of what dockline is made of.
#define DOCKLINE_API __attribute__((visibility("default")))
