#include "dockline/engine/build.hpp"
