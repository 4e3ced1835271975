#pragma once

#include "common/exit.hpp"

#include <tl/expected.hpp>

#include <cerrno>
#include <cstring>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace iso {

/// Why something failed: the call, the cause, the place, and what to do next.
struct Error {
    std::string op;                             ///< the call that failed: "ioctl(KVM_SET_SREGS)"
    std::string cause;                          ///< why: strerror(errno), or a sentence
    std::string hint;                           ///< the next step for the reader; may be empty
    int code = 0;                               ///< errno, or 0 when the cause is not an errno
    int exit_status = exit_code::engine_failed; ///< what `run` ends with because of this
    std::source_location at = std::source_location::current();

    /// "op: cause [file.cpp:12]; try: hint" - the one form in which errors are shown.
    [[nodiscard]] std::string message() const;

    /// The same error with another hint, for a caller that knows better what to do.
    [[nodiscard]] Error with_hint(std::string text) && {
        hint = std::move(text);
        return std::move(*this);
    }
    /// The same error that ends `run` with another status.
    [[nodiscard]] Error with_exit(int status) && {
        exit_status = status;
        return std::move(*this);
    }
};

template <typename T>
using Result = tl::expected<T, Error>;

/// A failed result made of the current errno. `op` names the call with its main argument.
[[nodiscard]] inline tl::unexpected<Error>
sys_error(std::string op, std::string hint = {},
          std::source_location at = std::source_location::current()) {
    int const code = errno;
    return tl::unexpected<Error>(Error{std::move(op), std::strerror(code), std::move(hint), code,
                                       exit_code::engine_failed, at});
}

/// A failed result with a cause in words.
[[nodiscard]] inline tl::unexpected<Error>
error(std::string op, std::string cause, std::string hint = {},
      std::source_location at = std::source_location::current()) {
    return tl::unexpected<Error>(
        Error{std::move(op), std::move(cause), std::move(hint), 0, exit_code::engine_failed, at});
}

/// The same for what a caller asked for or gave and should not have: exit status 2.
[[nodiscard]] inline tl::unexpected<Error>
refused(std::string op, std::string cause, std::string hint = {},
        std::source_location at = std::source_location::current()) {
    return tl::unexpected<Error>(
        Error{std::move(op), std::move(cause), std::move(hint), 0, exit_code::usage, at});
}

/// Writes "PROGRAM: message" to stderr; the one place where an error becomes text for a person.
void print_error(std::string_view program, Error const& error);
/// Who is told of each error that is printed, too: a log. Null: nobody.
void set_error_sink(void (*sink)(Error const& error));

} // namespace iso

/// Unwraps a Result or returns its error from the enclosing function (which returns a Result).
/// A statement expression: `auto fd = TRY(Fd::open(...));`
#define TRY(...)                                                                                   \
    __extension__({                                                                                \
        auto iso_try_result = (__VA_ARGS__);                                                       \
        if (!iso_try_result) [[unlikely]]                                                          \
            return tl::unexpected<::iso::Error>(std::move(iso_try_result).error());                \
        ::iso::detail::unwrap(std::move(iso_try_result));                                          \
    })

namespace iso::detail {

template <typename T>
T unwrap(Result<T>&& result) {
    return std::move(*result);
}
inline void unwrap(Result<void>&& /*result*/) {}

} // namespace iso::detail
