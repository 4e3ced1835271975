#include "common/report.hpp"

#include "tests/support/catch.hpp"
