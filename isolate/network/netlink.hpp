#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct nl_sock;

namespace iso::jail {

/// A connection to the kernel's routing subsystem (rtnetlink(7)) through libnl, in one network
/// namespace: the one that the caller was in when it was opened.
class [[nodiscard]] Netlink {
public:
    static Result<Netlink> open();
    /// In another namespace, named by a path like /proc/PID/ns/net. The caller stays in its own.
    static Result<Netlink> open_in(std::string const& path);

    /// The index of an interface, or nothing.
    [[nodiscard]] Result<std::optional<int>> index_of(std::string const& name) const;
    [[nodiscard]] Result<bool> is_bridge(int index) const;
    /// How many interfaces are plugged into a bridge.
    [[nodiscard]] Result<int> ports_of(int bridge) const;
    /// The IPv4 addresses of an interface, as "10.0.0.1/24".
    [[nodiscard]] Result<std::vector<std::string>> addresses_of(int index) const;

    Result<void> add_bridge(std::string const& name);
    /// One end here, plugged into `bridge`, the other in the namespace of descriptor `inside`.
    Result<void> add_veth(std::string const& here, int bridge, std::string const& there, int inside,
                          std::uint32_t mtu);
    Result<void> remove(int index);
    Result<void> up(int index);
    Result<void> add_address(int index, std::string const& address);
    Result<void> add_default_route(int index, std::string const& gateway);

private:
    struct Close {
        void operator()(nl_sock* socket) const;
    };
    std::unique_ptr<nl_sock, Close> socket_;
};

} // namespace iso::jail
