#include "common/run_options.hpp"

#include "tests/support/catch.hpp"
