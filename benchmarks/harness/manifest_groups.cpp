// The sections of the tables, and the programs with what they can be told.
#include "benchmarks/harness/manifest.hpp"

namespace iso::bench {

namespace {

constexpr Group k_groups[] = {
    {"computing", "Computing",
     "What happens between two system calls. An engine has no part in it but its interruptions."},
    {"memory", "Memory",
     "Bandwidth and latency. A guest's addresses may be translated twice; the caches are the "
     "same."},
    {"faults", "Page faults",
     "What it costs to get memory: a fault for each page, unless the kernel serves several at "
     "once."},
    {"calls", "System calls", "The way into the kernel and back, with less or more to do there."},
    {"communication", "Communication",
     "Two tasks that wait for each other: system calls and context switches."},
    {"processes", "Processes", "Making tasks, replacing their programs, and waiting for them."},
    {"files", "Files",
     "Files in `dir=`. What is behind that directory is the engine's affair: the host's file "
     "system natively, a memory file system in the jail, the guest kernel's own in the two with a "
     "guest."},
    {"disk", "Disk",
     "The same programs with files that last. Natively and in the jail they are in a new directory "
     "of the host for each sample (in `$TMPDIR` or `/tmp`; the result names its file system), in a "
     "machine in its guest kernel's own file system on a host file in such a directory "
     "([disk.md](disk.md)). All four wait for the same disk where they wait for one."},
    {"network", "Network",
     "Round trips over the loopback device. The guest kernel has no network: not available."},
    {"start-up", "Start-up", "The way to the first instruction, and until everything is gone."},
    {"density", "Density",
     "Many instances at once, up to 32 that wait. Memory: what the processes of the engine hold "
     "(`smaps_rollup`: private pages, and shared ones by their share), the difference between all "
     "instances and one, divided by the number of the others; what the kernel holds outside of "
     "address spaces is not in it. Start: from just before the process of instance k is made to "
     "its "
     "first byte of output, while k-1 wait. `--timeout` is the whole crowd's: it then stops "
     "growing."},
    {"neighbours", "Neighbours",
     "A victim beside another instance of the same engine, whose program (`neighbour`) takes as "
     "much "
     "as it can of one thing. Each block runs the victim alone and beside, each with a new "
     "instance, "
     "in random order; the number is the quotient of the two times, by the victim's own clock, and "
     "native's says what the hardware and the host's kernel do without any isolation. The "
     "neighbour "
     "is on another CPU than the victim (what they share there is memory, caches and the kernel's "
     "locks), except in `beside-cpu-here` (what they share is the scheduler's share of one CPU). A "
     "neighbour that its engine cannot run makes the row not available there."},
};

constexpr Program k_programs[] = {
    {"hello", ""},
    {"idle", "seconds=1"},
    {"neighbour", "kind=cpu seconds=60 size=16777216 dir=/tmp"},
    {"cpu-int", "ops=12000000 seed=1"},
    {"cpu-fp", "ops=8000 seed=1"},
    {"cpu-simd", "ops=12000000 seed=1"},
    {"cpu-hash", "ops=2000 seed=1"},
    {"cpu-compress", "ops=1000 seed=1"},
    {"mem-stream", "ops=10 size=8388608 kernel=all"},
    {"mem-chase", "ops=2000000 size=33554432 seed=1 huge=0"},
    {"page-fault", "ops=2048 pages=2048 stride=1"},
    {"cow-fault", "ops=512 pages=256"},
    {"syscall-null", "ops=5000"},
    {"read-small", "ops=2000"},
    {"write-small", "ops=2000"},
    {"open-close", "ops=300"},
    {"stat-file", "ops=400"},
    {"pipe-pingpong", "ops=250"},
    {"futex-pingpong", "ops=300"},
    {"fork-exit", "ops=32"},
    {"fork-exec", "ops=16 leave=0"},
    {"spawn-exec", "ops=16 leave=0"},
    {"file-write", "ops=64 size=2097152 chunk=65536 dir=/tmp"},
    {"file-read", "ops=64 size=2097152 chunk=65536 dir=/tmp"},
    {"file-random", "ops=500 size=2097152 seed=1 dir=/tmp"},
    {"file-fsync", "ops=16 dir=/tmp"},
    {"file-create", "ops=200 dir=/tmp"},
    {"net-loopback", "ops=400 size=1 transport=tcp"},
};

} // namespace

std::span<Group const> groups() {
    return k_groups;
}

std::span<Program const> programs() {
    return k_programs;
}

} // namespace iso::bench
