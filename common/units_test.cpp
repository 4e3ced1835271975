#include "common/units.hpp"

#include "tests/support/catch.hpp"
