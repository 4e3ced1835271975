// Control groups as the kernel makes them: everything here runs on both backends, in groups of its
// own below the caller's.
#include "isolate/limits/group_fixture.hpp"

using namespace iso;
using namespace iso::jail;
using namespace iso::jail::test;

TEST_CASE("group: limits are in the kernel's files, and the group is gone in the end") {
    with_group(usual_limits(), [](ControlGroup& group) {
        auto const seen = group.statistics();
        CHECK(seen.memory.limit == 64 * k_mib);
        CHECK(seen.swap.limit.value_or(0) == 0);
        CHECK(seen.tasks_limit == 20);
        CHECK(seen.tasks == 0);
        CHECK(seen.cpu_quota_us == 50000);
        CHECK(seen.cpu_period_us == 100000);
        bool const v2 = group.place("cpu")->v2;
        CHECK(group.number("cpu", v2 ? "cpu.weight" : "cpu.shares") == (v2 ? 59 : 512));
        CHECK(group.text("cpuset", "cpuset.cpus") == "0");
        CHECK_FALSE(limits_table(seen.rows()).empty());
    });
}

TEST_CASE("group: a process is moved in, seen, counted and ended") {
    with_group(usual_limits(), [](ControlGroup& group) {
        Member member(forever);
        REQUIRE(group.enter(member.pid()));
        auto const inside = group.processes();
        REQUIRE(inside);
        CHECK(*inside == std::vector<pid_t>{member.pid()});
        CHECK(group.statistics().tasks == 1);
        auto const busy = group.remove();
        CHECK_FALSE(busy); // not while it is in use, and it is not moved out of its limits
        CHECK(group.processes().value().size() == 1);
        CHECK(::kill(member.pid(), SIGKILL) == 0);
        CHECK(WTERMSIG(member.wait()) == SIGKILL);
        CHECK(group.kill_all());
        CHECK(group.processes().value().empty());
    });
}

TEST_CASE("group: what is frozen stands still, goes on, and can be ended") {
    GroupOptions every;
    every.every_controller = true;
    auto memory = Mapping::create(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    REQUIRE(memory);
    auto* const count = reinterpret_cast<std::atomic<unsigned long>*>(memory->data());
    with_group(
        usual_limits(),
        [&](ControlGroup& group) {
            Member member([count] {
                for (;;)
                    ++*count;
                return 0;
            });
            REQUIRE(group.enter(member.pid()));
            member.go();
            unsigned long const begun = *count;
            CHECK(iso::test::eventually([&] { return *count > begun; }));
            auto const frozen = group.freeze();
            if (!frozen) FAIL(frozen.error().message());
            CHECK(group.frozen());
            unsigned long const still = *count;
            ::usleep(50'000);
            CHECK(*count == still);
            REQUIRE(group.thaw());
            CHECK_FALSE(group.frozen());
            CHECK(iso::test::eventually([&] { return *count > still; }));
            REQUIRE(group.freeze());
            CHECK(group.kill_all());
            CHECK(WTERMSIG(member.wait()) == SIGKILL);
        },
        every);
}

TEST_CASE("group: a child is born inside where the kernel can do that") {
    GroupOptions every;
    every.every_controller = true;
    with_group(
        usual_limits(),
        [](ControlGroup& group) {
            if (group.clone_descriptor() < 0) ISO_SKIP("cgroup2", "no version 2 here");
            clone_args arguments{};
            arguments.flags = CLONE_INTO_CGROUP;
            arguments.exit_signal = SIGCHLD;
            arguments.cgroup = static_cast<__u64>(group.clone_descriptor());
            auto const pid =
                static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
            if (pid == 0) {
                forever();
                ::_exit(0);
            }
            REQUIRE(pid > 0);
            std::string const where = read_file(fmt::format("/proc/{}/cgroup", pid)).value_or("");
            for (GroupPlace const& place : group.places())
                if (place.v2) {
                    INFO(where);
                    CHECK(where.find("0::" + place.name + "\n") != std::string::npos);
                }
            if (group.needs_attach()) REQUIRE(group.attach(pid));
            CHECK(group.processes().value() == std::vector<pid_t>{pid});
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        },
        every);
}

TEST_CASE("group: a path of one's own is made with what is above it, and taken away with it") {
    GroupOptions options;
    options.path = fmt::format("/isolab-test-{}/jails/one", ::getpid());
    LimitSpec limits;
    limits.tasks = 20;
    with_group(
        limits,
        [&](ControlGroup& group) {
            REQUIRE(group.places().size() == 1);
            CHECK(group.places()[0].name == options.path);
            Member member(forever);
            REQUIRE(group.enter(member.pid()));
            auto plan = plan_group(limits, options);
            REQUIRE(plan);
            auto const again = ControlGroup::create(*plan, options, false);
            REQUIRE_FALSE(again); // in use
            CHECK(again.error().cause.find("processes") != std::string::npos);
        },
        options);
    auto plan = plan_group(limits, options);
    if (!plan || !plan->needs_group()) ISO_SKIP("cgroup", "no group may be made here");
    CHECK_FALSE(is_there(plan->places[0].mount + fmt::format("/isolab-test-{}", ::getpid())));
}

TEST_CASE("group: one that is kept is found again by what was recorded of it") {
    std::string record;
    LimitSpec limits;
    limits.tasks = 20;
    auto plan = plan_group(limits, {});
    REQUIRE(plan);
    if (!plan->needs_group()) ISO_SKIP("cgroup", "no group may be made here");
    std::string const directory = plan->places[0].directory();
    {
        auto group = ControlGroup::create(*plan, {}, true);
        REQUIRE(group);
        record = group->record();
        group->keep();
    }
    CHECK(is_there(directory));
    for (GroupBackendKind const kind : {GroupBackendKind::direct, GroupBackendKind::libcgroup}) {
        auto group = ControlGroup::open(record, kind);
        REQUIRE(group);
        CHECK(group->record() == record);
        CHECK(group->statistics().tasks_limit == 20);
    }
    auto group = ControlGroup::open(record);
    REQUIRE(group);
    CHECK(group->remove());
    CHECK_FALSE(is_there(directory));
    for (char const* const wrong :
         {"x", "1 pids /sys/fs/cgroup", "1 pids /sys\t/../../tmp/x", "3 a /b\t/c"}) {
        INFO(wrong);
        CHECK_FALSE(ControlGroup::open(wrong));
    }
}

namespace {

bool groups_of_gone(std::vector<GroupPlace> const& places, pid_t launcher) {
    std::string const mine = fmt::format("isolate.{}-", launcher);
    return std::all_of(places.begin(), places.end(), [&](GroupPlace const& place) {
        auto const names =
            subdirectories(std::filesystem::path(place.directory()).parent_path().string());
        return std::none_of(names.begin(), names.end(),
                            [&](std::string const& name) { return name.starts_with(mine); });
    });
}

} // namespace

TEST_CASE("group: nothing is left of it whenever its launcher is killed") {
    auto const here = plan_group(usual_limits(), {});
    REQUIRE(here);
    if (!here->unenforced.empty()) ISO_SKIP("cgroup", to_string(here->unenforced.front()));
    for (GroupBackendKind const kind : {GroupBackendKind::direct, GroupBackendKind::libcgroup})
        for (unsigned after_us = 0; after_us <= 6000; after_us += 300) {
            INFO(to_string(kind) << " after " << after_us << " us");
            pid_t const launcher = ::fork();
            if (launcher == 0) {
                GroupOptions options;
                options.backend = kind;
                auto plan = plan_group(usual_limits(), options);
                auto const group = ControlGroup::create(*plan, options, true);
                forever();
            }
            ::usleep(after_us);
            REQUIRE(::kill(launcher, SIGKILL) == 0);
            REQUIRE(::waitpid(launcher, nullptr, 0) == launcher);
            CHECK(iso::test::eventually([&] { return groups_of_gone(here->places, launcher); }));
        }
}

TEST_CASE("group: the processes of a killed launcher's group are ended, frozen ones too") {
    GroupOptions every;
    every.every_controller = true;
    auto const here = plan_group(usual_limits(), every);
    REQUIRE(here);
    if (!here->unenforced.empty()) ISO_SKIP("cgroup", to_string(here->unenforced.front()));
    for (bool const freeze : {false, true}) {
        INFO("frozen: " << freeze);
        Pipe ready = *Pipe::create();
        Pipe alive = *Pipe::create(); // its write end is the member's alone in the end
        pid_t const launcher = ::fork();
        if (launcher == 0) {
            alive.read.reset();
            auto plan = plan_group(usual_limits(), every);
            auto group = ControlGroup::create(*plan, every, true);
            pid_t const member = ::fork();
            if (member == 0) forever();
            alive.write.reset();
            bool const done = group && group->enter(member).has_value() &&
                              (!freeze || group->freeze().has_value());
            (void)!::write(ready.write.get(), done ? "y" : "n", 1);
            forever();
        }
        alive.write.reset();
        char byte = 0;
        REQUIRE(::read(ready.read.get(), &byte, 1) == 1);
        CHECK(byte == 'y');
        REQUIRE(::kill(launcher, SIGKILL) == 0);
        REQUIRE(::waitpid(launcher, nullptr, 0) == launcher);
        pollfd ended{alive.read.get(), POLLIN, 0};
        CHECK(::poll(&ended, 1, 30'000) == 1);
        CHECK((ended.revents & POLLHUP) != 0);
        CHECK(iso::test::eventually([&] { return groups_of_gone(here->places, launcher); }));
    }
}
