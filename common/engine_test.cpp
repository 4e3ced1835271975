#include "common/engine.hpp"

#include "tests/support/catch.hpp"
