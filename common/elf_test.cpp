#include "common/elf.hpp"

#include "tests/support/catch.hpp"
