#include "isolate/limits/guardian.hpp"

#include "common/fd.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

#include <sys/prctl.h>

namespace iso::jail {

namespace {

constexpr int k_tries = 10'000; ///< of a millisecond each

/// Ends everything in a directory and below. Once is not enough: what forks meanwhile is new.
void end_processes(GroupBackend& direct, GroupPlace const& place) {
    std::string const directory = place.directory();
    // What is stopped by the freezer of version 1 does not even die.
    (void)write_file(directory + "/freezer.state", "THAWED");
    if (place.v2 && write_file(directory + "/cgroup.kill", "1")) return;
    if (auto const pids = direct.processes(place))
        for (pid_t const pid : *pids)
            ::kill(pid, SIGKILL);
    for (std::string const& name : subdirectories(directory)) {
        GroupPlace below = place;
        below.name += "/" + name;
        end_processes(direct, below);
    }
}

} // namespace

void guard(int pipe, int launcher, std::vector<GroupPlace> const& places,
           std::vector<std::string> const& made_above) {
    ::prctl(PR_SET_NAME, "jail-guardian");
    pollfd polled[2] = {{pipe, POLLIN, 0}, {launcher, POLLIN, 0}};
    while (::poll(polled, 2, -1) < 0 && errno == EINTR) {
    }
    char order = 0;
    if ((polled[0].revents & POLLIN) != 0 && ::read(pipe, &order, 1) == 1 &&
        order == k_guardian_done)
        ::_exit(0);
    auto const direct = make_direct_backend();
    for (int tries = 0; tries < k_tries; ++tries) {
        bool left = false;
        for (GroupPlace const& place : places) {
            if (direct->remove(place)) continue;
            end_processes(*direct, place);
            left = true;
        }
        if (!left) break;
        ::usleep(1000); // processes leave a group after they have ended, and nothing tells when
    }
    for (auto above = made_above.rbegin(); above != made_above.rend(); ++above)
        ::rmdir(above->c_str()); // only if nobody else uses it by now
    ::_exit(0);
}

} // namespace iso::jail
