// What limits do to programs, and how they change.
#include "isolate/limits/group_fixture.hpp"

using namespace iso;
using namespace iso::jail;
using namespace iso::jail::test;

TEST_CASE("group: a fork bomb is stopped, counted and told of") {
    with_group(usual_limits(), [](ControlGroup& group) {
        auto events = LimitEvents::watch(group);
        if (!events) FAIL(events.error().message());
        Member bomb([] {
            int made = 0;
            for (; made < 1000; ++made) {
                pid_t const pid = ::fork();
                if (pid == 0) forever();
                if (pid < 0) break;
            }
            int const code = errno;
            return code == EAGAIN ? made : 200;
        });
        REQUIRE(group.enter(bomb.pid()));
        bomb.go();
        CHECK(WEXITSTATUS(bomb.wait()) == 19); // twenty with itself
        auto const seen = group.statistics();
        CHECK(seen.tasks_refused.value_or(0) >= 1);
        CHECK(seen.tasks_peak.value_or(20) == 20);
        auto const told = next_events(*events);
        REQUIRE(told.size() == 1);
        CHECK(told[0].kind == LimitEvents::Event::Kind::task_refused);
        CHECK(group.kill_all());
        CHECK(group.processes().value().empty());
    });
}

TEST_CASE("group: a memory bomb ends in its group") {
    LimitSpec limits = usual_limits();
    limits.memory = 16 * k_mib;
    with_group(limits, [](ControlGroup& group) {
        auto events = LimitEvents::watch(group);
        REQUIRE(events);
        Member bomb([] {
            for (int i = 0; i < 256; ++i) {
                void* const at = ::mmap(nullptr, k_mib, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
                if (at == MAP_FAILED) return 1;
                for (std::size_t page = 0; page < k_mib; page += 4096)
                    static_cast<char volatile*>(at)[page] = 1;
            }
            return 0;
        });
        REQUIRE(group.enter(bomb.pid()));
        bomb.go();
        int const status = bomb.wait();
        CHECK(WIFSIGNALED(status));
        auto const seen = group.statistics();
        CHECK(seen.oom_kills.value_or(0) >= 1);
        CHECK(seen.memory.failures.value_or(0) >= 1);
        if (seen.memory.peak) CHECK(*seen.memory.peak <= 16 * k_mib);
        auto const told = next_events(*events);
        REQUIRE_FALSE(told.empty());
        CHECK(told[0].kind == LimitEvents::Event::Kind::out_of_memory);
    });
}

TEST_CASE("group: a descriptor bomb is memory, and that is limited") {
    LimitSpec limits = usual_limits();
    limits.memory = 16 * k_mib;
    with_group(limits, [](ControlGroup& group) {
        Member bomb([] {
            std::vector<char> const filling(65536, 'x');
            for (int i = 0; i < 4000; ++i) { // 250 MiB in the kernel
                int ends[2];
                if (::pipe(ends) != 0) return errno == EMFILE || errno == ENFILE ? 1 : 2;
                if (::write(ends[1], filling.data(), filling.size()) < 0) return 2;
            }
            return 0;
        });
        REQUIRE(group.enter(bomb.pid()));
        bomb.go();
        int const status = bomb.wait();
        // Killed, or refused by the kernel (ENOMEM): never all of it.
        CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 2));
        CHECK(group.statistics().memory.peak.value_or(0) <= 16 * k_mib);
    });
}

TEST_CASE("group: limits change while it runs, all or none") {
    with_group(usual_limits(), [](ControlGroup& group) {
        Member member(forever);
        REQUIRE(group.enter(member.pid()));
        LimitSpec more;
        more.memory = 128 * k_mib; // above what memory and swap had together
        more.tasks = 50;
        more.cpu_quota_us = 80000;
        auto changed = group.change(more);
        if (!changed) FAIL(changed.error().message());
        CHECK(group.statistics().memory.limit == 128 * k_mib);
        CHECK(group.statistics().swap.limit.value_or(0) == 0); // as it was
        CHECK(group.statistics().tasks_limit == 50);
        CHECK(group.statistics().cpu_quota_us == 80000);
        CHECK(group.statistics().cpu_period_us == 100000);

        LimitSpec wrong;
        wrong.memory = 32 * k_mib;
        wrong.tasks = 60;
        wrong.cpus = "4000"; // no such CPU: comes after the others
        auto const refused = group.change(wrong);
        CHECK_FALSE(refused);
        CHECK(group.statistics().memory.limit == 128 * k_mib);
        CHECK(group.statistics().tasks_limit == 50);
        CHECK(group.text("cpuset", "cpuset.cpus") == "0");

        LimitSpec none;
        none.memory = k_unlimited;
        none.swap = k_unlimited;
        none.cpu_quota_us = k_unlimited;
        REQUIRE(group.change(none));
        CHECK(group.statistics().memory.limit == k_unlimited);
        CHECK(group.statistics().cpu_quota_us == k_unlimited);
        LimitSpec back;
        back.memory = 64 * k_mib;
        back.swap = 16 * k_mib;
        REQUIRE(group.change(back));
        CHECK(group.statistics().memory.limit == 64 * k_mib);
    });
}

TEST_CASE("group: less memory than is held is refused, and nobody dies of it") {
    LimitSpec limits;
    limits.memory = 64 * k_mib;
    limits.swap = 0;
    with_group(limits, [](ControlGroup& group) {
        Pipe ready = *Pipe::create();
        Member member([&ready] {
            auto* const held = static_cast<char volatile*>(::mmap(
                nullptr, 32 * k_mib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            for (std::size_t page = 0; page < 32 * k_mib; page += 4096)
                held[page] = 1;
            (void)!::write(ready.write.get(), "r", 1);
            return forever();
        });
        REQUIRE(group.enter(member.pid()));
        member.go();
        char byte = 0;
        REQUIRE(::read(ready.read.get(), &byte, 1) == 1);
        LimitSpec less;
        less.memory = 8 * k_mib;
        auto const refused = group.change(less);
        REQUIRE_FALSE(refused);
        CHECK(group.statistics().memory.limit == 64 * k_mib);
        CHECK(::waitpid(member.pid(), nullptr, WNOHANG) == 0); // alive
        less.memory = 48 * k_mib;
        CHECK(group.change(less));
        CHECK(::kill(member.pid(), SIGKILL) == 0);
        member.wait();
    });
}

TEST_CASE("group: device rules") {
    LimitSpec limits;
    limits.devices = {{false, 'a', {}, {}, "rwm"}, {true, 'c', 1, 5, "rw"}};
    with_group(limits, [](ControlGroup& group) {
        auto opens = [] {
            bool const zero = Fd(::open("/dev/zero", O_RDONLY)).valid();
            bool const null = Fd(::open("/dev/null", O_RDONLY)).valid();
            return (zero ? 1 : 0) + (null ? 2 : 0);
        };
        Member first(opens);
        REQUIRE(group.enter(first.pid()));
        first.go();
        CHECK(WEXITSTATUS(first.wait()) == 1);
        LimitSpec other;
        other.devices = {{true, 'c', 1, 3, "rw"}};
        if (group.place("devices") == nullptr) // a program is replaced; a list is added to
            other.devices.insert(other.devices.begin(),
                                 {{false, 'a', {}, {}, "rwm"}, {true, 'c', 1, 5, "rw"}});
        REQUIRE(group.change(other));
        Member second(opens);
        REQUIRE(group.enter(second.pid()));
        second.go();
        CHECK(WEXITSTATUS(second.wait()) == 3);
    });
}
