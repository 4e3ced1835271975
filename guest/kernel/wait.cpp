// wait4(2) and waitid(2): what became of a child.
#include "guest/kernel/clock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/resource.h>
#include <linux/wait.h>

namespace iso::guest {

namespace {

/// Which children, and which news of them.
struct Question {
    i64 pid; // as waitpid: > 0 that one, 0 own group, -1 any, < -1 that group
    u64 options;
};

/// The answer: whose state changed, and how.
struct News {
    u32 pid = 0;
    int status = 0; // as wait(2) has it
    int code = 0;   // CLD_*
    int value = 0;  // si_status
    u64 cycles = 0;
};

bool is_meant(Process const& child, Question const& question) {
    if (question.pid > 0) return child.pid == question.pid;
    if (question.pid == -1) return true;
    return child.group == (question.pid == 0 ? current().group : static_cast<u32>(-question.pid));
}

bool take_news(Process& child, Question const& question, News& news) {
    bool const keep = (question.options & WNOWAIT) != 0;
    news.pid = child.pid;
    if (child.state == ProcessState::zombie && (question.options & WEXITED) != 0) {
        int const signal = child.status & 0x7f;
        news.status = child.status;
        news.code = signal != 0 ? CLD_KILLED : CLD_EXITED;
        news.value = signal != 0 ? signal : child.status >> 8;
        news.cycles = child.cycles + child.children_cycles;
        if (keep) return true;
        current().children_cycles += news.cycles;
        Process::bury(&child);
        return true;
    }
    if (child.stopped_by != 0 && (question.options & WSTOPPED) != 0) {
        news.status = child.stopped_by << 8 | 0x7f;
        news.code = CLD_STOPPED;
        news.value = child.stopped_by;
        if (!keep) child.stopped_by = 0;
        return true;
    }
    if (child.continued && (question.options & WCONTINUED) != 0) {
        news.status = 0xffff;
        news.code = CLD_CONTINUED;
        news.value = SIGCONT;
        if (!keep) child.continued = false;
        return true;
    }
    return false;
}

// 1: `news`; 0: nothing yet, and the caller does not want to wait.
Result ask(Question const& question, News& news) {
    for (;;) {
        bool any = false;
        for (Process* child = current().children; child != nullptr;) {
            Process* const next = child->sibling;
            if (is_meant(*child, question)) {
                any = true;
                if (take_news(*child, question, news)) return 1;
            }
            child = next;
        }
        if (!any) return -ECHILD;
        if ((question.options & WNOHANG) != 0) return 0;
        if (block(current().child_changed) == Woken::signal) return -k_restart;
    }
}

Result put_usage(UserAddr to, u64 cycles) {
    struct rusage usage = {};
    u64 const ns = clock::ns_of_cycles(cycles);
    usage.ru_utime.tv_sec = static_cast<long>(ns / 1'000'000'000);
    usage.ru_utime.tv_usec = static_cast<long>(ns % 1'000'000'000 / 1000);
    return put_user(to, usage);
}

} // namespace

Result sys_wait4(u64 pid, u64 status, u64 options, u64 usage) {
    constexpr u64 k_known = WNOHANG | WUNTRACED | WCONTINUED | __WALL | __WNOTHREAD | __WCLONE;
    if ((options & ~k_known) != 0) return -EINVAL;
    News news;
    Question const question{static_cast<int>(pid), (options & ~u64{__WALL}) | WEXITED};
    Result const result = ask(question, news);
    if (result <= 0) return result;
    if (status != 0)
        if (Result const failed = put_user(status, news.status); failed != 0) return failed;
    if (usage != 0)
        if (Result const failed = put_usage(usage, news.cycles); failed != 0) return failed;
    return news.pid;
}

Result sys_waitid(u64 kind, u64 id, u64 info, u64 options, u64 usage) {
    constexpr u64 k_known =
        WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WALL | __WNOTHREAD | __WCLONE;
    if ((options & ~k_known) != 0 || (options & (WEXITED | WSTOPPED | WCONTINUED)) == 0)
        return -EINVAL;
    Question question{-1, options};
    switch (kind) {
    case P_ALL:
        break;
    case P_PID:
        if (static_cast<int>(id) <= 0) return -EINVAL;
        question.pid = static_cast<int>(id);
        break;
    case P_PGID:
        if (static_cast<int>(id) < 0) return -EINVAL;
        question.pid = -static_cast<i64>(id != 0 ? id : current().group);
        break;
    default:
        return -EINVAL; // pidfds do not exist here
    }
    News news;
    Result const result = ask(question, news);
    if (info != 0) { // also when there is no news: all zeros
        siginfo_t told = {};
        if (result > 0) {
            told.si_signo = SIGCHLD;
            told.si_code = news.code;
            told.si_pid = static_cast<int>(news.pid);
            told.si_status = news.value;
        }
        if (Result const failed = copy_out(info, &told, sizeof told); failed != 0) return failed;
    }
    if (usage != 0 && result > 0)
        if (Result const failed = put_usage(usage, news.cycles); failed != 0) return failed;
    return smaller<Result>(result, 0);
}

} // namespace iso::guest
