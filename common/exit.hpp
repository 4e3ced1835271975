#pragma once

/// Exit codes, one meaning in every program of the project.
///
/// `run` ends with the program's own status, or with one of these; every other verb ends with
/// `done`, `no` or `usage`. 126 and 127 follow the shell (POSIX XCU 2.8.2), 124 and 125 follow
/// timeout(1), 128+n is the shell's way to report a death by signal n.
namespace iso::exit_code {

inline constexpr int done = 0;             ///< the verb did what was asked
inline constexpr int no = 1;               ///< the answer is no
inline constexpr int usage = 2;            ///< called wrongly (verbs other than `run`)
inline constexpr int gate_not_run = 2;     ///< `isobench gate`: something failed to run
inline constexpr int gate_too_noisy = 3;   ///< `isobench gate`: too noisy to say
inline constexpr int skipped = 77;         ///< tests and `learn` only: a capability is missing
inline constexpr int timed_out = 124;      ///< `run`: --timeout expired
inline constexpr int engine_failed = 125;  ///< `run`: the engine failed, or was called wrongly
inline constexpr int cannot_execute = 126; ///< `run`: the program was found but cannot be executed
inline constexpr int not_found = 127;      ///< `run`: the program was not found
inline constexpr int signal_base = 128;    ///< `run`: 128+n, killed by signal n

/// The status a shell shows for a death by `signal`.
constexpr int from_signal(int signal) {
    return signal_base + signal;
}

} // namespace iso::exit_code
