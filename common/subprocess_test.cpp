#include "common/subprocess.hpp"

#include "tests/support/catch.hpp"
