// Bridges, cables and addresses. The host of these tests is a network namespace of their own.
#include "isolate/network/bridge_link.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <functional>
#include <sched.h>
#include <set>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::jail;

namespace {

/// From the first call on, this process is on a host that has nothing but lo.
bool have_host() {
    static bool const made = ::unshare(CLONE_NEWNET) == 0 && [] {
        auto host = Netlink::open();
        auto const lo = host->index_of("lo");
        return lo && *lo && host->up(**lo).has_value();
    }();
    return made;
}

std::string state_directory() {
    struct stat here {};
    ::stat("/proc/self/ns/net", &here);
    return fmt::format("/run/isolate-network/{}", here.st_ino);
}

/// A process in a network namespace of its own; it serves "hello" on TCP port 7 once told to.
class Jail {
public:
    Jail() {
        Pipe ready = *Pipe::create();
        Pipe go = *Pipe::create();
        pid_ = ::fork();
        if (pid_ == 0) {
            go.write.reset();
            bool const own = ::unshare(CLONE_NEWNET) == 0;
            (void)!::write(ready.write.get(), own ? "y" : "n", 1);
            char byte = 0;
            if (::read(go.read.get(), &byte, 1) != 1) ::_exit(1);
            Fd const server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            sockaddr_in any{};
            any.sin_family = AF_INET;
            any.sin_port = htons(7);
            if (::bind(server.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 ||
                ::listen(server.get(), 4) != 0)
                ::_exit(2);
            (void)!::write(ready.write.get(), "l", 1);
            for (;;) {
                Fd const client(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
                (void)!::write(client.get(), "hello", 5);
            }
        }
        ready_ = std::move(ready.read);
        go_ = std::move(go.write);
        ready.write.reset();
        await('y');
    }
    ~Jail() { end(); }
    Jail(Jail const&) = delete;
    Jail& operator=(Jail const&) = delete;

    void end() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void serve() {
        REQUIRE(::write(go_.get(), "g", 1) == 1);
        await('l');
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    void await(char expected) {
        char byte = 0;
        REQUIRE(::read(ready_.get(), &byte, 1) == 1);
        REQUIRE(byte == expected);
    }
    pid_t pid_ = -1;
    Fd ready_, go_;
};

std::string ask(std::string const& address) {
    Fd const socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(7);
    ::inet_pton(AF_INET, address.substr(0, address.find('/')).c_str(), &server.sin_addr);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&server), sizeof server) != 0)
        return std::strerror(errno);
    return read_all(socket.get()).value_or("?");
}

bool is_here(std::string const& interface) {
    auto const host = Netlink::open();
    REQUIRE(host);
    auto const index = host->index_of(interface);
    REQUIRE(index);
    return index->has_value();
}

} // namespace

TEST_CASE("network: a subnet has the addresses that it has") {
    auto const subnet = Subnet::parse("10.1.2.200/29");
    REQUIRE_FALSE(subnet); // 10.1.2.200 is the subnet's own address
    auto const sound = Subnet::parse("10.1.2.201/29");
    REQUIRE(sound);
    CHECK(sound->text(sound->first()) == "10.1.2.201/29");
    CHECK(sound->text(sound->last()) == "10.1.2.206/29");
    CHECK(sound->gateway_text() == "10.1.2.201");
    CHECK(Subnet::parse("10.0.0.1")->prefix == 24);
    for (char const* const wrong : {"", "10.0.0.1/31", "10.0.0.1/7", "10.0.0.1/", "10.0.0.1/24x",
                                    "300.0.0.1/24", "fd00::1/64", "10.0.0.255/24", "a/24"}) {
        INFO(wrong);
        CHECK_FALSE(Subnet::parse(wrong));
    }
}

TEST_CASE("network: a jail is plugged in, is reached, and leaves nothing") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    NetworkSpec spec;
    spec.bridge = "isolab0";
    spec.interface = "net0";
    spec.mtu = 1400;
    Jail jail;
    auto link = BridgeLink::plug(spec, jail.pid());
    if (!link && link.error().hint.find("modules") != std::string::npos)
        ISO_SKIP("net", link.error().message());
    if (!link) FAIL(link.error().message());
    CHECK(link->addresses() == std::vector<std::string>{"10.87.0.2/24"});
    CHECK(is_here("isolab0"));
    CHECK(is_here(link->host_end()));
    auto const inside = Netlink::open_in(fmt::format("/proc/{}/ns/net", jail.pid()));
    REQUIRE(inside);
    CHECK(inside->index_of("net0").value().has_value());
    CHECK_FALSE(is_here("net0"));
    jail.serve();
    CHECK(ask(link->addresses()[0]) == "hello");
    std::string const end = link->host_end();
    link->unplug();
    CHECK_FALSE(is_here(end));
    CHECK_FALSE(is_here("isolab0"));
    CHECK_FALSE(std::filesystem::exists(state_directory()));
}

TEST_CASE("network: jails that start at once have different addresses") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    NetworkSpec spec;
    spec.bridge = "isolab1";
    spec.gateway = "10.9.9.1/28";
    constexpr int k_jails = 6;
    std::vector<std::unique_ptr<Jail>> jails;
    std::vector<pid_t> launchers;
    for (int i = 0; i < k_jails; ++i)
        jails.push_back(std::make_unique<Jail>());
    Pipe results = *Pipe::create();
    Pipe finish = *Pipe::create(); // no jail holds its end open
    for (auto const& jail : jails) {
        pid_t const launcher = ::fork();
        if (launcher == 0) {
            finish.write.reset();
            auto link = BridgeLink::plug(spec, jail->pid());
            std::string const text = (link ? link->addresses()[0] : link.error().message()) + "\n";
            (void)!::write(results.write.get(), text.data(), text.size());
            char byte = 0;
            (void)!::read(finish.read.get(), &byte, 1); // until the test closes it
            if (link) link->unplug();
            ::_exit(link ? 0 : 1);
        }
        launchers.push_back(launcher);
    }
    results.write.reset();
    finish.read.reset();
    std::set<std::string> different;
    std::string text;
    char c = 0;
    for (int lines = 0; lines < k_jails && ::read(results.read.get(), &c, 1) == 1;) {
        if (c != '\n') {
            text += c;
            continue;
        }
        INFO(text);
        CHECK(text.ends_with("/28"));
        different.insert(text);
        text.clear();
        ++lines;
    }
    CHECK(different.size() == k_jails);
    for (auto const& jail : jails)
        jail->serve();
    for (std::string const& address : different)
        CHECK(ask(address) == "hello");
    finish.write.reset();
    for (pid_t const launcher : launchers) {
        int status = 0;
        REQUIRE(::waitpid(launcher, &status, 0) == launcher);
        CHECK(status == 0);
    }
    CHECK_FALSE(is_here("isolab1")); // the last one took it away
    CHECK_FALSE(std::filesystem::exists(state_directory()));
}

TEST_CASE("network: a bridge that was there stays, and its subnet is used") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    auto host = Netlink::open();
    REQUIRE(host);
    REQUIRE(host->add_bridge("theirs0"));
    int const index = host->index_of("theirs0").value().value();
    NetworkSpec spec;
    spec.bridge = "theirs0";
    {
        Jail jail;
        auto const without = BridgeLink::plug(spec, jail.pid());
        REQUIRE_FALSE(without);
        CHECK(without.error().cause.find("no IPv4 address") != std::string::npos);
    }
    REQUIRE(host->add_address(index, "192.168.77.1/24"));
    Jail jail;
    auto link = BridgeLink::plug(spec, jail.pid());
    if (!link) FAIL(link.error().message());
    CHECK(link->addresses() == std::vector<std::string>{"192.168.77.2/24"});
    jail.serve();
    CHECK(ask("192.168.77.2") == "hello");
    link->unplug();
    CHECK(is_here("theirs0"));
    REQUIRE(host->remove(index));
    CHECK_FALSE(std::filesystem::exists(state_directory()));
}

TEST_CASE("network: a killed launcher's cable and bridge go") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    for (unsigned after_us = 0; after_us <= 8000; after_us += 500) {
        INFO("after " << after_us << " us");
        Jail jail;
        pid_t const launcher = ::fork();
        if (launcher == 0) {
            NetworkSpec spec;
            spec.bridge = "isolab2";
            auto const link = BridgeLink::plug(spec, jail.pid());
            for (;;)
                ::pause();
        }
        ::usleep(after_us);
        REQUIRE(::kill(launcher, SIGKILL) == 0);
        REQUIRE(::waitpid(launcher, nullptr, 0) == launcher);
        CHECK(iso::test::eventually([] { return !is_here("isolab2"); }));
        CHECK(iso::test::eventually([] { return !std::filesystem::exists(state_directory()); }));
    }
}

TEST_CASE("network: the mark of a bridge that was never made goes with whoever leaves next") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    REQUIRE(std::filesystem::create_directories(state_directory()));
    { REQUIRE(Fd::open(state_directory() + "/isolab3.made", O_WRONLY | O_CREAT)); }
    pid_t const gone = ::fork();
    if (gone == 0) ::_exit(0);
    REQUIRE(::waitpid(gone, nullptr, 0) == gone);
    NetworkSpec spec;
    spec.bridge = "isolab3";
    CHECK_FALSE(BridgeLink::plug(spec, gone)); // leaves before it comes to the bridge
    CHECK_FALSE(std::filesystem::exists(state_directory()));
}

TEST_CASE("network: what cannot be is said") {
    if (!have_host()) ISO_SKIP("root", "no network namespace may be made here");
    Jail jail;
    NetworkSpec spec;
    spec.bridge = "lo";
    auto const not_a_bridge = BridgeLink::plug(spec, jail.pid());
    REQUIRE_FALSE(not_a_bridge);
    CHECK(not_a_bridge.error().cause.find("no bridge") != std::string::npos);
    for (char const* const name : {"", "a/b", "0123456789abcdef", "..", "a b"}) {
        INFO(name);
        spec.bridge = name;
        CHECK_FALSE(BridgeLink::plug(spec, jail.pid()));
    }
    spec.bridge = "isolab3";
    spec.addresses = {"nonsense"};
    CHECK_FALSE(BridgeLink::plug(spec, jail.pid()));
    CHECK_FALSE(is_here("isolab3")); // taken away again
    spec.addresses.clear();
    spec.gateway = "10.0.0.0/24";
    CHECK_FALSE(BridgeLink::plug(spec, jail.pid()));
    CHECK_FALSE(is_here("isolab3"));

    pid_t const ordinary = ::fork();
    if (ordinary == 0) {
        if (::setresuid(65534, 65534, 65534) != 0) ::_exit(3);
        NetworkSpec usual;
        auto const refused = BridgeLink::plug(usual, ::getpid());
        ::_exit(!refused && refused.error().hint.find("root") != std::string::npos ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(ordinary, &status, 0) == ordinary);
    CHECK(status == 0);
}
