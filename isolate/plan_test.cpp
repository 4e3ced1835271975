#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "isolate/hints.hpp"
#include "isolate/jail.hpp"
#include "isolate/mount_options.hpp"
#include "isolate/plan.hpp"
#include "isolate/root_layout.hpp"
#include "isolate/run_spec.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cerrno>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using namespace iso::jail;

JailOptions options_for(std::string program) {
    JailOptions options;
    options.run.program = std::move(program);
    options.spec = spec_from(options.run);
    return options;
}

std::size_t position(JailPlan const& plan, Op op) {
    auto const found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                    [&](Step const& s) { return s.op == op; });
    return static_cast<std::size_t>(found - plan.steps.begin());
}

bool touches(JailPlan const& plan, Op op, std::string const& path) {
    return std::any_of(plan.steps.begin(), plan.steps.end(),
                       [&](Step const& s) { return s.op == op && s.path == path; });
}

RootEntry::Kind kind_of(RootLayout const& layout, std::string const& path) {
    for (RootEntry const& entry : layout.entries)
        if (entry.path == path) return entry.kind;
    FAIL("no entry " << path);
    return RootEntry::Kind::tree;
}

} // namespace

TEST_CASE("the order of a plan keeps its promises") {
    auto const plan = make_plan(options_for(ISO_STATIC_PROGRAM), choose_ids(), MemoryLimit::none);
    REQUIRE(plan);
    auto const& steps = plan->steps;
    // Everything of the host is taken before it is gone, and every path is walked after.
    std::size_t const gone = position(*plan, Op::detach_host);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].op == Op::take_tree) CHECK(i < gone);
        if (steps[i].op == Op::attach || steps[i].op == Op::make_directory) CHECK(i > gone);
    }
    // /proc is mounted last: before, there is no magic link to be led through.
    for (std::size_t i = position(*plan, Op::mask); i < steps.size(); ++i)
        CHECK(steps[i].op != Op::attach);
    CHECK(position(*plan, Op::drop_bounding) < position(*plan, Op::drop_capabilities));
    CHECK(position(*plan, Op::no_new_privileges) < position(*plan, Op::filter_calls));
    CHECK(position(*plan, Op::filter_calls) + 1 == plan->program_step);
    CHECK(steps.back().op == Op::execute);
    for (Step const& step : steps) {
        CHECK(*step.why != '\0');
        CHECK(describe(step) != "?");
    }
}

TEST_CASE("program, environment and memory limit are in the plan") {
    JailOptions options = options_for(ISO_STATIC_PROGRAM);
    options.run.arguments = {"a", ""};
    options.run.environment = {"X=1"};
    options.run.memory_bytes = 1 << 20;
    options.spec = spec_from(options.run);
    auto const plan = make_plan(options, choose_ids(), MemoryLimit::address_space);
    REQUIRE(plan);
    REQUIRE(plan->argv.size() == 4);
    CHECK(std::string(plan->argv[0]) == ISO_STATIC_PROGRAM);
    CHECK(std::string(plan->argv[2]).empty());
    CHECK(plan->argv[3] == nullptr);
    REQUIRE(plan->envp.size() == 2);
    CHECK(std::string(plan->envp[0]) == "X=1");
    auto const limited = std::count_if(plan->steps.begin(), plan->steps.end(), [](Step const& s) {
        return s.op == Op::set_limit && s.number == 1 << 20;
    });
    CHECK(limited == 1);
}

TEST_CASE("who the program is outside is never the host's root") {
    IdMap const ids = choose_ids();
    if (ids.by_parent) {
        CHECK(ids.host_uid != 0);
        CHECK(ids.host_gid != 0);
    } else {
        CHECK(ids.host_uid == ::geteuid());
    }
}

TEST_CASE("a program that cannot run here is refused before anything is made") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    auto refused = [](std::string const& path) {
        auto const plan = make_plan(options_for(path), choose_ids(), MemoryLimit::none);
        return plan ? 0 : plan.error().exit_status;
    };
    CHECK(refused(dir->path() + "/missing") == 127);
    CHECK(refused(dir->path()) == 126);
    std::string const script = dir->path() + "/script";
    { REQUIRE(Fd::open(script, O_CREAT | O_WRONLY, 0755)); }
    CHECK(refused(script) == 126); // empty
    REQUIRE(write_file(script, "#!/bin/sh\n"));
    CHECK(refused(script) == 126);
    CHECK(refused("/bin/sh") == 126); // dynamically linked
    JailOptions inside_proc = options_for(ISO_STATIC_PROGRAM);
    inside_proc.run.added = {{"/etc", "/proc/etc"}};
    inside_proc.spec = spec_from(inside_proc.run);
    CHECK_FALSE(make_plan(inside_proc, choose_ids(), MemoryLimit::none));
}

TEST_CASE("a root directory is bound whole except where something has to be made") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    std::string const root = dir->path();
    for (char const* name : {"/usr", "/usr/bin", "/usr/lib", "/proc", "/home"})
        REQUIRE(::mkdir((root + name).c_str(), 0755) == 0);
    REQUIRE(::symlink("/", (root + "/escape").c_str()) == 0);
    REQUIRE(Fd::open(root + "/file", O_CREAT | O_WRONLY, 0644));
    auto const layout = lay_out_root(root, {"/proc", "/usr/bin/program", "/opt/x"});
    REQUIRE(layout);
    CHECK(kind_of(*layout, "/home") == RootEntry::Kind::tree);
    CHECK(kind_of(*layout, "/usr") == RootEntry::Kind::directory);
    CHECK(kind_of(*layout, "/usr/lib") == RootEntry::Kind::tree);
    CHECK(kind_of(*layout, "/usr/bin") == RootEntry::Kind::directory);
    CHECK(kind_of(*layout, "/file") == RootEntry::Kind::file);
    CHECK(kind_of(*layout, "/escape") == RootEntry::Kind::link);
    CHECK(std::none_of(layout->entries.begin(), layout->entries.end(),
                       [](RootEntry const& e) { return e.path == "/proc"; }));
    CHECK_FALSE(lay_out_root(root, {"/escape/x"})); // behind a link: refused, not followed
    CHECK_FALSE(lay_out_root(root + "/file", {}));
}

TEST_CASE("added paths appear where they were asked for") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    JailOptions options = options_for(ISO_STATIC_PROGRAM);
    options.run.added = {{dir->path(), "/data/here"}};
    options.spec = spec_from(options.run);
    auto const plan = make_plan(options, choose_ids(), MemoryLimit::none);
    REQUIRE(plan);
    CHECK(touches(*plan, Op::take_tree, dir->path()));
    CHECK(touches(*plan, Op::make_directory, "/data"));
    CHECK(touches(*plan, Op::attach, "/data/here"));
    options.run.added = {{dir->path() + "/missing", "/data"}};
    options.spec = spec_from(options.run);
    CHECK_FALSE(make_plan(options, choose_ids(), MemoryLimit::none));
}

TEST_CASE("failures say what to do") {
    auto const plan = make_plan(options_for(ISO_STATIC_PROGRAM), choose_ids(), MemoryLimit::none);
    REQUIRE(plan);
    auto step_of = [&](Op op, std::string const& path = {}) {
        for (std::size_t i = 0; i < plan->steps.size(); ++i)
            if (plan->steps[i].op == op && (path.empty() || plan->steps[i].path == path)) return i;
        return plan->steps.size();
    };
    CHECK(step_error(*plan, step_of(Op::new_filesystem, "proc"), EPERM)
              .hint.find("mount too revealing") != std::string::npos);
    CHECK(step_error(*plan, step_of(Op::switch_root), EINVAL).hint.find("chroot") !=
          std::string::npos);
    CHECK(step_error(*plan, step_of(Op::execute), EACCES).exit_status == 126);
    CHECK(step_error(*plan, step_of(Op::execute), ENOEXEC).op.find(plan->program) !=
          std::string::npos);
    CHECK(step_error(*plan, step_of(Op::change_directory), ENOENT).hint.find("--workdir") !=
          std::string::npos);
    CHECK_FALSE(clone_error(*plan, EPERM).hint.empty());
    CHECK_FALSE(clone_error(*plan, ENOSPC).hint.empty());
    CHECK(clone_error(*plan, EINVAL).code == EINVAL);
}

TEST_CASE("which namespaces are made follows from the spec") {
    JailOptions options = options_for(ISO_STATIC_PROGRAM);
    auto flags = [&] {
        auto const plan = make_plan(options, choose_ids(options.spec), MemoryLimit::none);
        REQUIRE(plan);
        return plan->clone_flags;
    };
    std::uint64_t const all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                              CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME;
    CHECK(flags() == all);
    options.spec.at(Namespace::ipc).from = NamespaceChoice::From::host;
    options.spec.network.mode = NetworkSpec::Mode::host;
    CHECK(flags() == (all & ~std::uint64_t{CLONE_NEWIPC | CLONE_NEWNET}));
    options.spec.boottime = TimeOffset{5, 0};
    CHECK(flags() ==
          (all & ~std::uint64_t{CLONE_NEWIPC | CLONE_NEWNET} & ~std::uint64_t{CLONE_NEWTIME}));
    options.spec.at(Namespace::uts) = {NamespaceChoice::From::path, "/proc/self/ns/uts"};
    auto const plan = make_plan(options, choose_ids(options.spec), MemoryLimit::none);
    REQUIRE(plan);
    CHECK(plan->door_steps == plan->parent_steps + 1);
    CHECK(plan->steps[plan->parent_steps].op == Op::join_namespace);
    CHECK(position(*plan, Op::set_hostname) == plan->steps.size()); // not ours to name
}

TEST_CASE("in a root that others filled no path is walked plainly") {
    auto const dir = TempDir::create("isolate-test");
    REQUIRE(dir);
    JailOptions options = options_for("sh");
    options.spec.process.from_host = false;
    options.spec.process.environment = {"PATH=/a:/b"};
    options.spec.root = {};
    options.spec.root.source = RootSpec::Source::directory;
    options.spec.root.path = dir->path();
    for (RootSpec::Mode const mode : {RootSpec::Mode::overlay, RootSpec::Mode::writable}) {
        options.spec.root.mode = mode;
        auto const plan = make_plan(options, choose_ids(), MemoryLimit::none);
        REQUIRE(plan);
        CHECK(plan->candidates == std::vector<std::string>{"/a/sh", "/b/sh"});
        for (Op const plain : {Op::make_directory, Op::make_file, Op::make_link})
            CHECK(position(*plan, plain) == plan->steps.size());
        // What is masked lies below these two: there no link is followed at all.
        CHECK(touches(*plan, Op::attach, "/proc"));
        CHECK(touches(*plan, Op::attach, "/sys"));
        CHECK(touches(*plan, Op::attach_inside, "/dev"));
        CHECK(position(*plan, Op::forget_host) > position(*plan, Op::detach_host));
        CHECK_FALSE(touches(*plan, Op::make_read_only, "/"));
    }
}

TEST_CASE("a filter that others wrote comes last, or first where privileges may be gained") {
    JailOptions options = options_for(ISO_STATIC_PROGRAM);
    options.spec.seccomp.profile = SeccompSpec::Profile::text;
    options.spec.seccomp.text = R"({"defaultAction":"SCMP_ACT_ALLOW"})";
    auto const plan = make_plan(options, choose_ids(), MemoryLimit::none);
    REQUIRE(plan);
    CHECK(position(*plan, Op::filter_calls) + 1 == position(*plan, Op::execute));
    options.spec.process.no_new_privileges = false;
    auto const gaining = make_plan(options, choose_ids(), MemoryLimit::none);
    REQUIRE(gaining);
    CHECK(position(*gaining, Op::filter_calls) < position(*gaining, Op::drop_bounding));
    options.spec.seccomp.profile = SeccompSpec::Profile::none;
    auto const open = make_plan(options, choose_ids(), MemoryLimit::none);
    REQUIRE(open);
    CHECK(position(*open, Op::filter_calls) == open->steps.size());
}

TEST_CASE("options of mounts mean what mount(8) says") {
    MountSpec mount;
    mount.type = "tmpfs";
    mount.target = "/x";
    mount.read_only = true;
    mount.options = {"rw", "nosuid", "noatime", "size=5m", "mode=700", "rslave", "defaults"};
    auto const flags = read_mount_options(mount);
    REQUIRE(flags);
    CHECK(flags->attributes == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME));
    CHECK(flags->propagation == (std::uint64_t{MS_SLAVE} | MS_REC));
    CHECK(flags->data == "size=5m,mode=700");
    CHECK_FALSE(flags->bind);
    mount.options = {"rbind", "rro"};
    auto const bind = read_mount_options(mount);
    REQUIRE(bind);
    CHECK(bind->bind);
    CHECK(bind->recursive);
    CHECK(bind->attributes == MOUNT_ATTR_RDONLY);
    for (char const* refused : {"remount", "idmap"}) {
        mount.options = {refused};
        CHECK_FALSE(read_mount_options(mount));
    }
    mount.options = {"tmpcopyup"};
    mount.type = "tmpfs"; // of no other can it be said
    REQUIRE(read_mount_options(mount));
    CHECK(read_mount_options(mount)->copy_up);
    mount.type = "bind";
    CHECK_FALSE(read_mount_options(mount));
    mount.options = {"bind", "lazytime"};
    CHECK_FALSE(read_mount_options(mount));
}

TEST_CASE("a jail on a bridge has an address there and leaves nothing") {
    pid_t const host = ::fork(); // a host of its own: this machine's bridges are not ours
    if (host == 0) {
        if (::unshare(CLONE_NEWNET) != 0) ::_exit(77);
        JailOptions options = options_for(ISO_STATIC_PROGRAM);
        options.spec.network.mode = NetworkSpec::Mode::bridge;
        RunReport const report = run(options);
        if (report.failure && report.failure->hint.find("modules") != std::string::npos)
            ::_exit(78);
        if (report.failure) print_error("isolate", *report.failure);
        bool const ran = report.ended == Ended::exited && report.status == 0;
        bool const plugged = report.facts.count("network.addresses") != 0 &&
                             report.facts.at("network.addresses") == "10.87.0.2/24";
        ::_exit((ran ? 0 : 1) + (plugged ? 0 : 2) + (::if_nametoindex("isolate0") == 0 ? 0 : 4));
    }
    int status = 0;
    REQUIRE(::waitpid(host, &status, 0) == host);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        ISO_SKIP("root", "no network namespace may be made here");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 78)
        ISO_SKIP("net", "this kernel has no bridge or no veth");
    CHECK(status == 0);
}
