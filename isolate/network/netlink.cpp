#include "isolate/network/netlink.hpp"

#include "common/fd.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <sched.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

#ifdef ISO_NL_LATE
// The linker names the ends of a section whose name is an identifier (ld(1), "orphan sections").
extern "C" {
extern void (*__start_iso_nl_constructors[])(); // NOLINT(bugprone-reserved-identifier)
extern void (*__stop_iso_nl_constructors[])();  // NOLINT(bugprone-reserved-identifier)
}
#endif

namespace iso::jail {

namespace {

/// What libnl does before main() elsewhere: its modules register themselves. See
/// IsoDependencies.cmake.
void construct_library() {
#ifdef ISO_NL_LATE
    static bool const done = [] {
        for (auto* each = __start_iso_nl_constructors; each != __stop_iso_nl_constructors; ++each)
            (*each)();
        return true;
    }();
    (void)done;
#endif
}

template <auto put>
struct Put {
    template <typename T>
    void operator()(T* object) const {
        put(object);
    }
};
using Link = std::unique_ptr<rtnl_link, Put<rtnl_link_put>>;
using Address = std::unique_ptr<nl_addr, Put<nl_addr_put>>;
using InterfaceAddress = std::unique_ptr<rtnl_addr, Put<rtnl_addr_put>>;
using Route = std::unique_ptr<rtnl_route, Put<rtnl_route_put>>;
using Cache = std::unique_ptr<nl_cache, Put<nl_cache_free>>;

tl::unexpected<Error> library_error(std::string op, int code,
                                    std::source_location at = std::source_location::current()) {
    Error failed{std::move(op), nl_geterror(code), {}, 0, exit_code::engine_failed, at};
    if (code == -NLE_PERM) {
        failed.code = EPERM;
        failed.hint = "root (CAP_NET_ADMIN); without it, --network loopback";
    }
    if (code == -NLE_EXIST) failed.code = EEXIST;
    if (code == -NLE_OPNOTSUPP) failed.hint = "a kernel with the modules bridge and veth";
    return tl::unexpected<Error>(std::move(failed));
}

Result<void> check(int code, std::string op) {
    if (code >= 0) return {};
    return library_error(std::move(op), code);
}

Result<Address> parse(std::string const& text) {
    nl_addr* address = nullptr;
    if (int const code = nl_addr_parse(text.c_str(), AF_UNSPEC, &address); code < 0)
        return error("address " + text, nl_geterror(code), "10.88.0.2/16, or fd00::2/64");
    return Address(address);
}

} // namespace

void Netlink::Close::operator()(nl_sock* socket) const {
    nl_socket_free(socket);
}

Result<Netlink> Netlink::open() {
    construct_library();
    Netlink made;
    made.socket_.reset(nl_socket_alloc());
    if (!made.socket_) return error("nl_socket_alloc", "out of memory");
    TRY(check(nl_connect(made.socket_.get(), NETLINK_ROUTE), "nl_connect(NETLINK_ROUTE)"));
    return made;
}

Result<Netlink> Netlink::open_in(std::string const& path) {
    Fd const own = TRY(Fd::open("/proc/self/ns/net", O_RDONLY));
    Fd const other = TRY(Fd::open(path, O_RDONLY));
    if (::setns(other.get(), CLONE_NEWNET) != 0) return sys_error("setns(" + path + ")");
    // A socket belongs for ever to the namespace in which it was made.
    auto made = open();
    if (::setns(own.get(), CLONE_NEWNET) != 0) return sys_error("setns(own network)");
    return made;
}

Result<std::optional<int>> Netlink::index_of(std::string const& name) const {
    rtnl_link* found = nullptr;
    int const code = rtnl_link_get_kernel(socket_.get(), 0, name.c_str(), &found);
    if (code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV) return std::optional<int>();
    if (code < 0) return library_error("rtnl_link_get(" + name + ")", code);
    return std::optional<int>(rtnl_link_get_ifindex(Link(found).get()));
}

Result<bool> Netlink::is_bridge(int index) const {
    rtnl_link* found = nullptr;
    TRY(check(rtnl_link_get_kernel(socket_.get(), index, nullptr, &found), "rtnl_link_get"));
    Link const link(found);
    char const* const type = rtnl_link_get_type(link.get());
    return type != nullptr && std::string_view(type) == "bridge";
}

Result<int> Netlink::ports_of(int bridge) const {
    nl_cache* all = nullptr;
    TRY(check(rtnl_link_alloc_cache(socket_.get(), AF_UNSPEC, &all), "rtnl_link_alloc_cache"));
    Cache const cache(all);
    int ports = 0;
    for (nl_object* each = nl_cache_get_first(all); each != nullptr; each = nl_cache_get_next(each))
        if (rtnl_link_get_master(reinterpret_cast<rtnl_link*>(each)) == bridge) ++ports;
    return ports;
}

Result<std::vector<std::string>> Netlink::addresses_of(int index) const {
    nl_cache* all = nullptr;
    TRY(check(rtnl_addr_alloc_cache(socket_.get(), &all), "rtnl_addr_alloc_cache"));
    Cache const cache(all);
    std::vector<std::string> texts;
    for (nl_object* each = nl_cache_get_first(all); each != nullptr;
         each = nl_cache_get_next(each)) {
        auto* const address = reinterpret_cast<rtnl_addr*>(each);
        if (rtnl_addr_get_ifindex(address) != index || rtnl_addr_get_family(address) != AF_INET)
            continue;
        char text[128];
        nl_addr2str(rtnl_addr_get_local(address), text, sizeof text);
        texts.emplace_back(text);
    }
    return texts;
}

Result<void> Netlink::add_bridge(std::string const& name) {
    Link const bridge(rtnl_link_bridge_alloc());
    if (!bridge) return error("rtnl_link_bridge_alloc", "out of memory");
    rtnl_link_set_name(bridge.get(), name.c_str());
    rtnl_link_set_flags(bridge.get(), IFF_UP);
    return check(rtnl_link_add(socket_.get(), bridge.get(), NLM_F_CREATE | NLM_F_EXCL),
                 "rtnl_link_add(bridge " + name + ")");
}

Result<void> Netlink::add_veth(std::string const& here, int bridge, std::string const& there,
                               int inside, std::uint32_t mtu) {
    Link const link(rtnl_link_veth_alloc());
    if (!link) return error("rtnl_link_veth_alloc", "out of memory");
    Link const peer(rtnl_link_veth_get_peer(link.get()));
    rtnl_link_set_name(link.get(), here.c_str());
    rtnl_link_set_master(link.get(), bridge);
    rtnl_link_set_flags(link.get(), IFF_UP);
    rtnl_link_set_name(peer.get(), there.c_str());
    rtnl_link_set_ns_fd(peer.get(), inside);
    if (mtu != 0) {
        rtnl_link_set_mtu(link.get(), mtu);
        rtnl_link_set_mtu(peer.get(), mtu);
    }
    return check(rtnl_link_add(socket_.get(), link.get(), NLM_F_CREATE | NLM_F_EXCL),
                 fmt::format("rtnl_link_add(veth {} to {})", here, there));
}

Result<void> Netlink::remove(int index) {
    Link const link(rtnl_link_alloc());
    if (!link) return error("rtnl_link_alloc", "out of memory");
    rtnl_link_set_ifindex(link.get(), index);
    int const code = rtnl_link_delete(socket_.get(), link.get());
    if (code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV) return {};
    return check(code, fmt::format("rtnl_link_delete({})", index));
}

Result<void> Netlink::up(int index) {
    Link const which(rtnl_link_alloc());
    Link const change(rtnl_link_alloc());
    if (!which || !change) return error("rtnl_link_alloc", "out of memory");
    rtnl_link_set_ifindex(which.get(), index);
    rtnl_link_set_flags(change.get(), IFF_UP);
    return check(rtnl_link_change(socket_.get(), which.get(), change.get(), 0),
                 fmt::format("rtnl_link_change({}, up)", index));
}

Result<void> Netlink::add_address(int index, std::string const& address) {
    Address const local = TRY(parse(address));
    InterfaceAddress const made(rtnl_addr_alloc());
    if (!made) return error("rtnl_addr_alloc", "out of memory");
    rtnl_addr_set_ifindex(made.get(), index);
    TRY(check(rtnl_addr_set_local(made.get(), local.get()), "rtnl_addr_set_local"));
    // Nobody else can have it on a cable that was just plugged in: no time for finding out (IPv6).
    if (nl_addr_get_family(local.get()) == AF_INET6) rtnl_addr_set_flags(made.get(), IFA_F_NODAD);
    return check(rtnl_addr_add(socket_.get(), made.get(), 0), "rtnl_addr_add(" + address + ")");
}

Result<void> Netlink::add_default_route(int index, std::string const& gateway) {
    Address const via = TRY(parse(gateway));
    int const family = nl_addr_get_family(via.get());
    Route const route(rtnl_route_alloc());
    Address const everything(nl_addr_build(family, nullptr, 0));
    rtnl_nexthop* const hop = rtnl_route_nh_alloc();
    if (!route || !everything || hop == nullptr) return error("rtnl_route_alloc", "out of memory");
    rtnl_route_nh_set_ifindex(hop, index);
    rtnl_route_nh_set_gateway(hop, via.get());
    rtnl_route_add_nexthop(route.get(), hop); // which owns it from here on
    rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(family));
    TRY(check(rtnl_route_set_dst(route.get(), everything.get()), "rtnl_route_set_dst"));
    return check(rtnl_route_add(socket_.get(), route.get(), NLM_F_CREATE | NLM_F_EXCL),
                 "rtnl_route_add(default via " + gateway + ")");
}

} // namespace iso::jail
