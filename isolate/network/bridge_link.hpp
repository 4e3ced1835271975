#pragma once

#include "isolate/network/lease.hpp"
#include "isolate/network/netlink.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::jail {

/// The cable between a jail and a bridge of the host: a veth pair, whose inner end has addresses
/// and a default route. Unplugged at the end; should this process be killed, a guardian process
/// does it.
///
/// A bridge that is missing is made, with the gateway's address, and taken away again with the last
/// jail that was plugged in. What isolate needs to remember is in /run/isolate-network, in a
/// directory for each network namespace that is a host.
class [[nodiscard]] BridgeLink {
public:
    BridgeLink() = default;
    BridgeLink(BridgeLink&& other) noexcept { *this = std::move(other); }
    BridgeLink& operator=(BridgeLink&& other) noexcept;
    ~BridgeLink() { unplug(); }

    /// Plugs the network namespace of process `pid` in. Errors: no CAP_NET_ADMIN, no bridge or veth
    /// in this kernel, a name that is no bridge, no free address.
    static Result<BridgeLink> plug(NetworkSpec const& spec, pid_t pid);

    void unplug();
    /// "10.87.0.2/24": the addresses inside.
    [[nodiscard]] std::vector<std::string> const& addresses() const { return addresses_; }
    [[nodiscard]] std::string const& host_end() const { return host_end_; }

private:
    Result<void> start_guardian();
    Result<int> ensure_bridge(Netlink& host, NetworkSpec const& spec, Subnet& subnet);
    void take_away() const;

    std::string directory_; ///< where this host's locks are
    std::string bridge_;
    std::string host_end_;
    std::vector<std::string> addresses_;
    Lease lease_;
    pid_t guardian_ = -1;
    Fd guardian_pipe_;
};

} // namespace iso::jail
