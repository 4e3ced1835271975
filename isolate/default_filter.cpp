#include "isolate/seccomp_profile.hpp"

namespace iso::jail {

namespace {

constexpr sock_filter k_default_filter[] = {
#include "isolate/default_filter.inc" // written by make_default_filter.cpp
};

} // namespace

std::span<sock_filter const> default_filter() {
    return k_default_filter;
}

} // namespace iso::jail
