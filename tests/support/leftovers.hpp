#pragma once

#include <set>
#include <string>
#include <vector>

namespace iso::test {

/// What an engine could leave behind on the machine, apart from processes (launch() sees those):
/// mounts, cgroup directories, files in the temporary directories.
class Leftovers {
public:
    /// Notes what is there now. The first call gives this process a TMPDIR of its own, so that
    /// whatever appears there was left by what the test ran.
    static Leftovers look();

    /// What is there now and was not then. Waits some seconds for things to go that other programs
    /// on the machine made meanwhile.
    [[nodiscard]] std::vector<std::string> appeared() const;

private:
    std::set<std::string> things_;
};

} // namespace iso::test
