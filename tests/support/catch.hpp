#pragma once

// The one place that knows which Catch2 is installed: 2.13 on Debian 12, 3 on Ubuntu 24.04.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace iso::test {

/// Records that a test case could not run because this machine lacks `need`.
/// A need named in the environment variable ISO_REQUIRE (separated by ; or ,) fails instead.
void record_skip(std::string const& need, std::string const& reason);

} // namespace iso::test

/// Leaves the test case: the machine lacks a capability. `need` is a label: kvm, userns, root, ...
#define ISO_SKIP(need, reason)                                                                     \
    do {                                                                                           \
        ::iso::test::record_skip((need), (reason));                                                \
        return;                                                                                    \
    } while (false)
