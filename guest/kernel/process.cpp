// Processes: the table of them, and how they end.
#include "guest/kernel/process.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/kernel/console.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/procfs.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/port/port.hpp"

#include <asm/siginfo.h>
#include <asm/signal.h>

namespace iso::guest {

namespace {

constinit FileTable first_files;
constinit SignalActions first_actions;

constinit Pool<Process> processes("process");
constinit Pool<SignalActions> actions_pool("signal_actions");
constinit Process* all = &first_process;
constinit u32 process_count = 1;
constinit u32 last_pid = 2;

[[noreturn]] inline void power_off(int wait_status) {
    int const signal = wait_status & 0x7f;
    iso_doorbell& page = port::request();
    page.range_count = 0;
    page.argument[0] = signal != 0;
    page.argument[1] = static_cast<u64>(signal != 0 ? signal : wait_status >> 8);
    port::ring(ISO_OP_EXIT); // the engine writes out what the console ring holds
    port::halt();
}

[[noreturn, gnu::noinline]] void end_with_disk(int wait_status) {
    diskfs::unmount();
    power_off(wait_status);
}

[[noreturn]] void end_machine(int wait_status) {
    if (boot_info().disk_sectors != 0) [[unlikely]]
        end_with_disk(wait_status);
    power_off(wait_status);
}

void unlink_child(Process& parent, Process& child) {
    Process** link = &parent.children;
    while (*link != &child)
        link = &(*link)->sibling;
    *link = child.sibling;
}

} // namespace

constinit AddressSpace first_space;
// Number 1 would be spared by the default action of signals, and number 0 means nobody.
constinit Process first_process = [] {
    Process process;
    process.pid = process.group = process.session = 2;
    process.space = &first_space;
    process.file_table = &first_files;
    process.actions = &first_actions;
    process.threads = &first_thread;
    process.thread_count = 1;
    return process;
}();
constinit Thread first_thread = [] {
    Thread thread;
    thread.tid = 2;
    thread.process = &first_process;
    thread.space = &first_space;
    return thread;
}();

SignalActions* copy_actions(SignalActions const& from) {
    SignalActions* const copy = actions_pool.make();
    if (copy == nullptr) return nullptr;
    *copy = from;
    copy->users = 1;
    return copy;
}

Result Process::own_actions() {
    if (actions->users == 1) return 0;
    SignalActions* const own = copy_actions(*actions);
    if (own == nullptr) return -ENOMEM;
    --actions->users;
    actions = own;
    return 0;
}

Result Process::own_files() {
    if (file_table->references() == 1) return 0;
    FileTable* const own = file_table->clone();
    if (own == nullptr) return -ENOMEM;
    FileTable::drop(file_table);
    file_table = own;
    return 0;
}

Process* Process::first() {
    return all;
}
u32 Process::count() {
    return process_count;
}

Process* Process::find(u32 pid) {
    for (Process* process = all; process != nullptr; process = process->next)
        if (process->pid == pid) return process;
    return nullptr;
}

Thread* find_thread(u32 tid) {
    for (Process* process = all; process != nullptr; process = process->next)
        for (Thread* thread = process->threads; thread != nullptr; thread = thread->sibling)
            if (thread->tid == tid) return thread;
    return nullptr;
}

// Numbers go round, as they do on Linux with its default pid_max.
u32 next_pid() {
    constexpr u32 k_largest = 32767;
    do
        last_pid = last_pid >= k_largest ? 2 : last_pid + 1;
    while (Process::find(last_pid) != nullptr || find_thread(last_pid) != nullptr);
    return last_pid;
}

Process* Process::create() {
    if (process_count >= k_processes_max) return nullptr;
    Process* const process = processes.make();
    if (process == nullptr) return nullptr;
    ++process_count;
    process->next = all;
    all = process;
    return process;
}

void Process::bury(Process* process) {
    if (process->pid != 0) procfs::process_gone(process->pid); // 0: fork(2) gave up half-way
    Process** link = &all;
    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    if (process->parent != nullptr) unlink_child(*process->parent, *process);
    --process_count;
    processes.drop(process);
}

void Process::add_thread(Thread& thread) {
    thread.process = this;
    thread.space = space;
    thread.sibling = threads;
    threads = &thread;
    ++thread_count;
}

u64 Process::cycles_used() const {
    u64 sum = cycles;
    for (Thread const* thread = threads; thread != nullptr; thread = thread->sibling) {
        sum += thread->cycles;
        if (thread->is_running()) sum += port::cycles() - thread->cycles_at_start;
    }
    return sum;
}

void Process::end(int wait_status) {
    if (!exiting) {
        exiting = true;
        status = wait_status;
        if (this == &first_process) end_machine(status); // the others end with the machine
        for (Thread* thread = threads; thread != nullptr; thread = thread->sibling)
            if (!thread->is_running()) send_signal(*thread, SIGKILL, {});
    }
    leave();
}

bool Process::end_other_threads() {
    Thread const& self = this_thread();
    if (self.leaves || exiting) return false;
    for (Thread* thread = threads; thread != nullptr; thread = thread->sibling)
        if (!thread->is_running()) {
            thread->leaves = true;
            send_signal(*thread, SIGKILL, {});
        }
    while (thread_count > 1)
        block_uninterrupted(thread_left);
    return !exiting;
}

void Process::leave() {
    Thread& thread = this_thread();
    leave_futexes(thread);
    Thread** link = &threads;
    while (*link != &thread)
        link = &(*link)->sibling;
    *link = thread.sibling;
    --thread_count;
    cycles += thread.cycles + (port::cycles() - thread.cycles_at_start);
    Thread*& holder = port::k_fpu_per_space ? space->registers_of : this_cpu.registers_of;
    if (holder == &thread) holder = nullptr;
    if (thread_count == 0)
        become_zombie(); // may be the end of this object
    else
        thread_left.wake_all();
    scheduler::leave();
}

void Process::tell_vfork_parent() {
    if (vfork_waiter == nullptr) return;
    vfork_waiter->vfork_pending = false;
    vfork_waiter->process->child_released.wake_all();
    vfork_waiter = nullptr;
}

// Everything that its parent will not ask for.
void Process::release() {
    timers.cancel(alarm);
    FileTable::drop(file_table);
    file_table = nullptr;
    if (--actions->users == 0) actions_pool.drop(actions);
    actions = nullptr;
    if (directory != nullptr) vfs::unhold(directory);
    if (executable != nullptr) vfs::unhold(executable);
    directory = executable = nullptr;
    drop_space(space);
    space = nullptr;
    tell_vfork_parent();
    while (children != nullptr) { // nobody will ask for them
        Process* const child = children;
        children = child->sibling;
        child->parent = nullptr;
        if (child->state == ProcessState::zombie)
            bury(child);
        else if (child->death_signal != 0)
            send_signal(*child, child->death_signal, {.pid = pid});
    }
}

void Process::copy_names(Process const& from) {
    directory = from.directory;
    executable = from.executable;
    if (directory != nullptr) vfs::hold(directory);
    if (executable != nullptr) vfs::hold(executable);
}

void Process::become_zombie() {
    if (this == &first_process) end_machine(status);
    release();
    state = ProcessState::zombie;
    int const signal = status & 0x7f;
    tell_parent(signal != 0 ? CLD_KILLED : CLD_EXITED, signal != 0 ? signal : status >> 8);
}

void Process::tell_parent(int code, int value) {
    bool const ended = state == ProcessState::zombie;
    if (parent == nullptr) {
        if (ended) bury(this);
        return;
    }
    SignalAction const& action = parent->actions->at(SIGCHLD);
    constexpr u64 k_ignore = 1;
    bool const unwanted = ended && exit_signal == SIGCHLD &&
                          (action.handler == k_ignore || (action.flags & SA_NOCLDWAIT) != 0);
    bool const silent = !ended && (action.flags & SA_NOCLDSTOP) != 0;
    if (exit_signal != 0 && !silent)
        send_signal(*parent, exit_signal, {.code = code, .pid = pid, .status = value});
    parent->child_changed.wake_all();
    if (unwanted) bury(this);
}

void Process::stop(int signal) {
    state = ProcessState::stopped;
    stopped_by = signal;
    tell_parent(CLD_STOPPED, signal);
    while (state == ProcessState::stopped)
        block_uninterrupted(went_on);
}

void Process::resume(bool by_signal) {
    if (state != ProcessState::stopped) return;
    state = ProcessState::running;
    stopped_by = 0;
    went_on.wake_all();
    if (!by_signal) return;
    continued = true;
    tell_parent(CLD_CONTINUED, SIGCONT);
}

} // namespace iso::guest
