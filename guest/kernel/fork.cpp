// fork(2), vfork(2), clone(2): a process that is a copy, or a thread in the same one.
#include "guest/kernel/exec.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

#include <asm/signal.h>
#include <linux/sched.h>

namespace iso::guest {

namespace {

/// What the caller of clone(2) wants.
struct Wish {
    u64 flags; // CLONE_*, without the signal
    int exit_signal;
    UserAddr stack; // 0: goes on with the parent's
    UserAddr parent_tid, child_tid, thread_pointer;
};

constexpr u64 k_known_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK |
                              CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                              CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID |
                              CLONE_DETACHED | CLONE_UNTRACED | CLONE_IO;

Result check(Wish const& wish) {
    u64 const flags = wish.flags;
    if ((flags & ~k_known_flags) != 0) return -EINVAL; // namespaces, pidfds, tracing
    if ((flags & CLONE_SIGHAND) != 0 && (flags & CLONE_VM) == 0) return -EINVAL;
    if ((flags & CLONE_THREAD) != 0 && (flags & CLONE_SIGHAND) == 0) return -EINVAL;
    if ((flags & CLONE_SETTLS) != 0 && wish.thread_pointer >= ISO_USER_HIGH) return -EPERM;
    return 0;
}

// The memory, as wished: the parent's own, or a copy of it.
AddressSpace* space_for_child(Process& parent, u64 flags, Result& result) {
    if ((flags & CLONE_VM) != 0) {
        ++parent.space->users;
        return parent.space;
    }
    AddressSpace* const space = make_space();
    if (space == nullptr) {
        result = -EAGAIN;
        return nullptr;
    }
    result = parent.space->fork(*space);
    if (result == 0) return space;
    free_space(space);
    return nullptr;
}

FileTable* files_for_child(Process& parent, u64 flags) {
    if ((flags & CLONE_FILES) == 0) return parent.file_table->clone();
    parent.file_table->share();
    return parent.file_table;
}

SignalActions* actions_for_child(Process& parent, u64 flags) {
    if ((flags & CLONE_SIGHAND) == 0) return copy_actions(*parent.actions);
    ++parent.actions->users;
    return parent.actions;
}

void copy_identity(Process& child, Process& parent, Wish const& wish) {
    child.group = parent.group;
    child.session = parent.session;
    child.umask = parent.umask;
    child.nice = parent.nice;
    child.arguments = parent.arguments;
    child.arguments_bytes = parent.arguments_bytes;
    child.environment_bytes = parent.environment_bytes;
    child.set_name(parent.short_name());
    child.exit_signal = wish.exit_signal;
    child.parent = (wish.flags & CLONE_PARENT) != 0 ? parent.parent : &parent;
    if (child.parent != nullptr) {
        child.sibling = child.parent->children;
        child.parent->children = &child;
    }
}

Process* make_child(Process& parent, Wish const& wish, Result& result) {
    Process* const child = Process::create();
    result = -EAGAIN;
    if (child == nullptr) return nullptr;
    child->space = space_for_child(parent, wish.flags, result);
    if (child->space != nullptr) {
        result = -ENOMEM;
        child->file_table = files_for_child(parent, wish.flags);
        if (child->file_table != nullptr) child->actions = actions_for_child(parent, wish.flags);
    }
    if (child->actions != nullptr) {
        copy_identity(*child, parent, wish);
        child->copy_names(parent);
        return child;
    }
    if (child->file_table != nullptr) FileTable::drop(child->file_table);
    if (child->space != nullptr) drop_space(child->space);
    Process::bury(child);
    return nullptr;
}

// What the new thread has of the calling one.
void copy_thread(Thread& child, TrapFrame const& frame, Wish const& wish) {
    Thread& parent = this_thread();
    child.signals.blocked = parent.signals.blocked;
    if ((wish.flags & CLONE_VM) == 0 || (wish.flags & CLONE_VFORK) != 0)
        child.signals.stack = parent.signals.stack;
    port::fpu_save(child.fpu);
    TrapFrame start = frame;
    start.trap.rax = 0;
    if (wish.stack != 0) start.trap.rsp = wish.stack;
    if ((wish.flags & CLONE_SETTLS) != 0) child.thread_pointer = wish.thread_pointer;
    if ((wish.flags & CLONE_CHILD_CLEARTID) != 0) child.clear_on_exit = wish.child_tid;
    if ((wish.flags & CLONE_CHILD_SETTID) != 0) child.set_on_start = wish.child_tid;
    child.start_at(start);
}

void wait_for_space(Thread& thread, Process& child) {
    thread.vfork_pending = true;
    child.vfork_waiter = &thread;
    while (thread.vfork_pending)
        if (block_uninterrupted(thread.process->child_released) == Woken::signal) break;
    if (thread.vfork_pending) child.vfork_waiter = nullptr; // killed before the child let go
    thread.vfork_pending = false;
}

Result clone(TrapFrame const& frame, Wish const& wish) {
    if (Result const result = check(wish); result != 0) return result;
    Process& parent = current();
    if (!this_thread().make_fpu_room()) return -ENOMEM;
    Thread* const thread = Thread::create();
    if (thread == nullptr) return -EAGAIN;
    bool const same_process = (wish.flags & CLONE_THREAD) != 0;
    Result result = 0;
    Process* const process = same_process ? &parent : make_child(parent, wish, result);
    if (process == nullptr) {
        bury(thread);
        return result;
    }
    thread->tid = next_pid();
    if (!same_process) process->pid = thread->tid;
    process->add_thread(*thread);
    copy_thread(*thread, frame, wish);
    u32 const tid = thread->tid;
    if ((wish.flags & CLONE_PARENT_SETTID) != 0) put_user(wish.parent_tid, tid);
    scheduler::make_ready(*thread);
    if ((wish.flags & CLONE_VFORK) != 0) wait_for_space(this_thread(), *process);
    return tid;
}

Wish wish_of_clone(u64 const* argument) {
    constexpr u64 k_signal = 0xff; // CSIGNAL
    return {.flags = argument[0] & ~k_signal,
            .exit_signal = static_cast<int>(argument[0] & k_signal) % (k_signals + 1),
            .stack = argument[1],
            .parent_tid = argument[2],
            .child_tid = argument[3],
            .thread_pointer = argument[4]};
}

} // namespace

Result sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 thread_pointer) {
    return defer(
        [](TrapFrame& frame) { return clone(frame, wish_of_clone(this_thread().argument)); }, flags,
        stack, parent_tid, child_tid, thread_pointer);
}

Result sys_fork() {
    return sys_clone(SIGCHLD, 0, 0, 0, 0);
}

Result sys_vfork() {
    return sys_clone(SIGCHLD | CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
}

// clone(2), NOTES: struct clone_args.
Result sys_clone3(u64 arguments, u64 bytes) {
    struct clone_args wanted = {};
    if (bytes < CLONE_ARGS_SIZE_VER0) return -EINVAL;
    if (bytes > sizeof wanted) return -E2BIG;
    if (Result const result = copy_in(&wanted, arguments, bytes); result != 0) return result;
    // Fields whose flag is not set mean nothing; of those flags check() knows none.
    if (wanted.set_tid_size != 0 || wanted.exit_signal > k_signals ||
        (wanted.stack == 0) != (wanted.stack_size == 0))
        return -EINVAL;
    return sys_clone(wanted.flags | wanted.exit_signal, wanted.stack + wanted.stack_size,
                     wanted.parent_tid, wanted.child_tid, wanted.tls);
}

Result sys_execve(u64 path, u64 arguments, u64 environment) {
    return defer(execute, path, arguments, environment);
}

Result sys_rt_sigreturn() {
    return defer(pop_signal_frame);
}

} // namespace iso::guest
