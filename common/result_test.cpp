#include "common/result.hpp"

#include "tests/support/catch.hpp"
