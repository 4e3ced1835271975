// System calls about the process itself.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

#include <asm/prctl.h>
#include <linux/prctl.h>

namespace iso::guest {

// A thread ends; with the last one, the process.
Result sys_exit(u64 status) {
    Process& process = current();
    if (process.thread_count == 1) process.exit(static_cast<int>(status));
    process.leave();
}
Result sys_exit_group(u64 status) {
    current().exit(static_cast<int>(status));
}

Result sys_getpid() {
    return current().pid;
}
Result sys_gettid() {
    return this_thread().tid;
}
Result sys_getppid() {
    Process const& process = current();
    return process.parent != nullptr ? process.parent->pid : 1;
}

// There is one user, who is whoever started the engine.
Result sys_getuid() {
    return boot_info().host_uid;
}
Result sys_getgid() {
    return boot_info().host_gid;
}
Result sys_set_id(u64 id) {
    return static_cast<u32>(id) == boot_info().host_uid || id == boot_info().host_gid ? 0 : -EPERM;
}
Result sys_set_ids(u64 real, u64 effective, u64 saved) {
    u64 const ids[] = {real, effective, saved};
    for (u64 const id : ids)
        if (static_cast<u32>(id) != ~0u && sys_set_id(id) != 0) return -EPERM;
    return 0;
}
Result sys_getresuid(u64 real, u64 effective, u64 saved) {
    u64 const places[] = {real, effective, saved};
    for (UserAddr const place : places)
        if (Result const result = put_user(place, boot_info().host_uid); result != 0) return result;
    return 0;
}
Result sys_getgroups(u64, u64) {
    return 0;
}

// ---- Groups and sessions: what a shell needs to signal a whole pipeline
// -------------------------------

namespace {

Process* process_or_self(u64 pid) {
    return pid == 0 ? &current() : Process::find(static_cast<u32>(pid));
}

bool group_in_session(u32 group, u32 session) {
    for (Process const* each = Process::first(); each != nullptr; each = each->next)
        if (each->group == group && each->session == session) return true;
    return false;
}

} // namespace

Result sys_setpgid(u64 pid, u64 group) {
    if (static_cast<int>(group) < 0) return -EINVAL;
    Process* const process = process_or_self(pid);
    Process& self = current();
    if (process == nullptr || (process != &self && process->parent != &self)) return -ESRCH;
    u32 const wanted = group == 0 ? process->pid : static_cast<u32>(group);
    if (process->session != self.session || process->pid == process->session) return -EPERM;
    if (wanted != process->pid && !group_in_session(wanted, self.session)) return -EPERM;
    process->group = wanted;
    return 0;
}

Result sys_getpgid(u64 pid) {
    Process const* const process = process_or_self(pid);
    return process != nullptr ? static_cast<Result>(process->group) : -ESRCH;
}
Result sys_getpgrp() {
    return current().group;
}

Result sys_setsid() {
    Process& process = current();
    if (process.group == process.pid) return -EPERM;
    return process.group = process.session = process.pid;
}

Result sys_getsid(u64 pid) {
    Process const* const process = process_or_self(pid);
    return process != nullptr ? static_cast<Result>(process->session) : -ESRCH;
}

// ---- Threads
// ----------------------------------------------------------------------------------

Result sys_set_tid_address(u64 address) {
    this_thread().clear_on_exit = address;
    return this_thread().tid;
}

Result sys_set_robust_list(u64 head, u64 length) {
    constexpr u64 k_head_bytes = 24; // struct robust_list_head
    if (length != k_head_bytes) return -EINVAL;
    this_thread().robust_list = head;
    return 0;
}

Result sys_arch_prctl(u64 code, u64 address) {
    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (address >= ISO_USER_HIGH) return -EPERM;
        code == ARCH_SET_FS ? port::set_fs_base(address) : port::set_gs_base(address);
        return 0;
    case ARCH_GET_FS:
        return put_user(address, port::fs_base());
    case ARCH_GET_GS:
        return put_user(address, port::gs_base());
    default:
        return -EINVAL;
    }
}

// ---- Its name and other traits
// -----------------------------------------------------------------

// Made when it is asked for: few programs do.
Text Process::short_name() {
    if (!named) {
        Text const path = module_path(boot_modules()[0]);
        u64 start = path.size;
        while (start > 0 && path[start - 1] != '/')
            --start;
        set_name(path.from(start));
    }
    return {name, text_length(name, sizeof name)};
}

void Process::set_name(Text text) {
    u64 const length = smaller<u64>(text.size, sizeof name - 1);
    zero_small(name, sizeof name);
    copy_small(name, text.data, length);
    named = true;
}

Result sys_prctl(u64 option, u64 argument) {
    Process& process = current();
    switch (option) {
    case PR_SET_NAME: {
        char name[16] = {};
        Result const result = copy_string(name, argument, sizeof name);
        if (result < 0 && result != -ENAMETOOLONG) return result;
        name[15] = 0;
        process.set_name({name, text_length(name, sizeof name)});
        return 0;
    }
    case PR_GET_NAME:
        process.short_name();
        return copy_out(argument, process.name, sizeof process.name);
    case PR_SET_PDEATHSIG:
        if (argument > k_signals) return -EINVAL;
        process.death_signal = static_cast<int>(argument);
        return 0;
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
        return argument > 1 ? -EINVAL : 0;
    case PR_SET_NO_NEW_PRIVS:
        return argument == 1 ? 0 : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
        return 1;
    default:
        return -EINVAL;
    }
}

} // namespace iso::guest
