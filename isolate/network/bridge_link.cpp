#include "isolate/network/bridge_link.hpp"

#include "common/pidfd.hpp"
#include "common/scope_exit.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

constexpr char const* k_state = "/run/isolate-network";
constexpr char const* k_usual_subnet = "10.87.0.1/24";

Result<void> make_directories(std::string const& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        std::string const part = path.substr(0, slash);
        if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
            return sys_error("mkdir(" + part + ")", "root; without it, --network loopback");
        if (slash == std::string::npos) return {};
    }
}

Result<void> check_name(char const* what, std::string const& name) {
    bool const sound = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                       name.find_first_of("/ \t\n:%") == std::string::npos;
    if (sound) return {};
    return refused(what, "'" + name + "' is no name of an interface",
                   fmt::format("1 to {} characters without blanks and slashes", IFNAMSIZ - 1));
}

Result<void> check_rights() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (::syscall(SYS_capget, &header, data) != 0) return sys_error("capget");
    if ((data[0].effective & (1U << CAP_NET_ADMIN)) != 0) return {};
    return error("--network bridge", "only who has CAP_NET_ADMIN may plug something into the host",
                 "root; without it, --network loopback");
}

/// The directory may be taken away by the last one to leave just as we come.
Result<FileLock> take_turn(std::string const& directory, std::string const& bridge) {
    for (int tries = 0;; ++tries) {
        TRY(make_directories(directory));
        auto turn = FileLock::take(directory + "/" + bridge + ".lock");
        if (turn || turn.error().code != ENOENT || tries == 100) return turn;
    }
}

} // namespace

BridgeLink& BridgeLink::operator=(BridgeLink&& other) noexcept {
    std::swap(directory_, other.directory_);
    std::swap(bridge_, other.bridge_);
    std::swap(host_end_, other.host_end_);
    std::swap(addresses_, other.addresses_);
    std::swap(lease_, other.lease_);
    std::swap(guardian_, other.guardian_);
    std::swap(guardian_pipe_, other.guardian_pipe_);
    return *this;
}

Result<BridgeLink> BridgeLink::plug(NetworkSpec const& spec, pid_t pid) {
    TRY(check_rights());
    TRY(check_name("bridge", spec.bridge));
    TRY(check_name("interface", spec.interface));
    struct stat here {};
    if (::stat("/proc/self/ns/net", &here) != 0) return sys_error("stat(/proc/self/ns/net)");
    BridgeLink link;
    link.directory_ = fmt::format("{}/{}", k_state, here.st_ino);
    link.bridge_ = spec.bridge;
    std::uint32_t random = 0;
    (void)!::getrandom(&random, sizeof random, 0);
    link.host_end_ = fmt::format("jail{:08x}", random);
    TRY(link.start_guardian()); // before there is anything that it would have to take away

    std::string const inside = fmt::format("/proc/{}/ns/net", pid);
    Fd const space = TRY(Fd::open(inside, O_RDONLY));
    Netlink host = TRY(Netlink::open());
    Netlink jail = TRY(Netlink::open_in(inside));
    Subnet subnet;
    {
        // One at a time: nobody takes the bridge away between its making and our plug.
        FileLock const turn = TRY(take_turn(link.directory_, spec.bridge));
        int const bridge = TRY(link.ensure_bridge(host, spec, subnet));
        TRY(host.add_veth(link.host_end_, bridge, spec.interface, space.get(), spec.mtu));
        link.addresses_ = spec.addresses;
        if (link.addresses_.empty() && subnet.gateway == 0)
            return error("bridge " + spec.bridge,
                         "it has no IPv4 address, so there is no subnet to take one from",
                         "--address and --gateway");
        if (link.addresses_.empty()) {
            link.lease_ = TRY(lease_address(link.directory_, subnet));
            link.addresses_.push_back(subnet.text(link.lease_.address));
        }
    }
    auto const index = TRY(jail.index_of(spec.interface));
    if (!index) return error("interface " + spec.interface, "it went away");
    for (std::string const& address : link.addresses_)
        TRY(jail.add_address(*index, address));
    TRY(jail.up(*index));
    std::string const gateway = !spec.gateway.empty()
                                    ? spec.gateway.substr(0, spec.gateway.find('/'))
                                : subnet.gateway != 0 ? subnet.gateway_text()
                                                      : "";
    if (!gateway.empty()) TRY(jail.add_default_route(*index, gateway));
    return link;
}

Result<int> BridgeLink::ensure_bridge(Netlink& host, NetworkSpec const& spec, Subnet& subnet) {
    std::string const marker = fmt::format("{}/{}.made", directory_, bridge_);
    if (auto const there = TRY(host.index_of(bridge_))) {
        if (!TRY(host.is_bridge(*there)))
            return error("bridge " + bridge_, "an interface of that name is there and is no bridge",
                         "--bridge with another name");
        auto const addresses = TRY(host.addresses_of(*there));
        if (!addresses.empty()) subnet = TRY(Subnet::parse(addresses.front()));
        return *there;
    }
    subnet = TRY(Subnet::parse(spec.gateway.empty() ? k_usual_subnet : spec.gateway));
    { (void)TRY(Fd::open(marker, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)); }
    TRY(host.add_bridge(bridge_));
    auto const made = TRY(host.index_of(bridge_));
    if (!made) return error("bridge " + bridge_, "it went away");
    TRY(write_file(marker, std::to_string(*made)));
    TRY(host.add_address(*made, subnet.text(subnet.gateway)));
    return *made;
}

/// Idempotent: the end of the jail's network namespace takes the cable away as well.
void BridgeLink::take_away() const {
    auto turn = take_turn(directory_, bridge_);
    auto host = Netlink::open();
    if (!turn || !host) return;
    if (auto const end = host->index_of(host_end_); end && *end) (void)host->remove(**end);
    sweep_leases(directory_);
    ScopeExit const tidy([&] {
        turn->remove();
        ::rmdir(directory_.c_str()); // if nobody else is plugged in
        ::rmdir(k_state);
    });
    std::string const marker = fmt::format("{}/{}.made", directory_, bridge_);
    auto const ours = read_file(marker, 64);
    auto const bridge = host->index_of(bridge_);
    if (!ours || !bridge) return;
    if (!*bridge) { // whoever wrote the marker was killed before there was a bridge
        ::unlink(marker.c_str());
        return;
    }
    int index = 0;
    std::from_chars(ours->data(), ours->data() + ours->size(), index);
    // An empty marker is of one who was killed while making it.
    if (!ours->empty() && index != **bridge) return;
    if (auto const ports = host->ports_of(**bridge); ports && *ports == 0 && host->remove(**bridge))
        ::unlink(marker.c_str());
}

Result<void> BridgeLink::start_guardian() {
    Pipe pipe = TRY(Pipe::create());
    Pidfd const self = TRY(Pidfd::open(::getpid()));
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
        ::setsid();
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        ::prctl(PR_SET_NAME, "jail-guardian");
        ::dup3(pipe.read.get(), 0, 0);
        ::dup3(self.get(), 1, 0);
        ::close_range(2, ~0U, 0);
        pollfd polled[2] = {{0, POLLIN, 0}, {1, POLLIN, 0}};
        while (::poll(polled, 2, -1) < 0 && errno == EINTR) {
        }
        char order = 0;
        if ((polled[0].revents & POLLIN) == 0 || ::read(0, &order, 1) != 1) take_away();
        ::_exit(0);
    }
    guardian_ = pid;
    guardian_pipe_ = std::move(pipe.write);
    return {};
}

void BridgeLink::unplug() {
    if (guardian_ < 0) return;
    lease_.lock.remove();
    take_away();
    sigset_t pipe_signal;
    sigset_t before;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &pipe_signal, &before);
    (void)!::write(guardian_pipe_.get(), "d", 1);
    guardian_pipe_.reset();
    while (::waitpid(guardian_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    guardian_ = -1;
}

} // namespace iso::jail
