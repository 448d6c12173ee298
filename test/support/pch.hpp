
#include "../../lib/src/pch.hpp"

#include <doctest/doctest.h>
