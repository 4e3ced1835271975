#pragma once

#include "common/fd.hpp"
#include "isolate/life/raw_mode.hpp"

#include <poll.h>
#include <string>
#include <vector>

#include <sys/ioctl.h>

namespace iso::jail {

/// Receives a descriptor that was sent over a socket (unix(7), SCM_RIGHTS).
Result<Fd> receive_descriptor(int socket);

/// Connects to the socket on which somebody waits for the master of a terminal (--console-socket).
Result<Fd> connect_console(std::string const& path);

/// The socket over which a jail sends the master of its terminal.
class TerminalSocket {
public:
    Result<void> open();
    [[nodiscard]] int jail_socket() const { return theirs_.get(); }
    /// Once the jail exists: its end is its own.
    void jail_has_it() { theirs_.reset(); }
    [[nodiscard]] int socket() const { return ours_.get(); }
    /// Takes what has come, not blocking. Nothing when the jail failed before.
    Fd take();

private:
    Fd ours_, theirs_;
};

/// Between the caller's terminal and that of a jail, or of a program in one: keys, output, size.
class TerminalRelay {
public:
    Result<void> open() { return socket_.open(); }
    [[nodiscard]] int jail_socket() const { return socket_.jail_socket(); }
    void jail_has_it() { socket_.jail_has_it(); }
    /// The size of the caller's terminal; zeros when there is none.
    [[nodiscard]] winsize size() const;

    /// What to look at; serve() takes it back with `revents`.
    [[nodiscard]] std::vector<pollfd> polled() const;
    void serve(std::vector<pollfd>& polled);
    /// SIGWINCH: the jail's terminal gets the size of the caller's.
    void resize() const;
    /// What is left in the terminal of a jail that has ended.
    void drain();
    /// Gives the caller's terminal back.
    void restore() { raw_.restore(); }

private:
    void take_master();
    bool copy_output();
    void copy_keys();

    TerminalSocket socket_;
    Fd master_;
    RawMode raw_;
    std::string keys_; ///< typed, not yet taken
    bool keys_ended_ = false;
};

} // namespace iso::jail
