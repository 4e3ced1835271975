#pragma once

#include "common/fd.hpp"
#include "isolate/life/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iso::jail {

/// The directory of one jail, locked by this process: no other command changes it meanwhile.
///
/// Files in it: `lock`, `state.json` (Record), `spec.json` (the description), `end.json` (Ending),
/// `start` (a socket: a created jail waits there for its start), `log` and `log.1`. Each file is
/// replaced as a whole: written under another name, synced, renamed.
class [[nodiscard]] JailDirectory {
public:
    JailDirectory(JailDirectory&&) = default;
    JailDirectory& operator=(JailDirectory&&) = default;

    [[nodiscard]] std::string const& name() const { return name_; }
    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] int fd() const { return directory_.get(); }

    Result<Record> read_record() const;
    Result<void> write_record(Record const& record) const;
    /// The end of the jail, when its keeper wrote one.
    [[nodiscard]] std::optional<Ending> ending() const;

    Result<std::string> read(std::string const& file) const;
    Result<void> write(std::string const& file, std::string_view data) const;
    void remove_file(std::string const& file) const;

    /// What it holds open, for whoever closes everything else.
    [[nodiscard]] std::vector<int> descriptors() const { return {directory_.get(), lock_.get()}; }

    /// Gives the lock up, keeps the directory: for a keeper, which writes its Ending without it.
    void unlock() { lock_.reset(); }
    /// Removes the directory with all that isolate put there. The name is free at once.
    Result<void> remove();

private:
    friend class Store;
    JailDirectory(std::string parent, std::string name, Fd directory, Fd lock);

    std::string parent_;
    std::string name_;
    std::string path_;
    Fd directory_;
    Fd lock_;
};

/// What is true of a jail at the moment of looking.
struct Seen {
    Record record; ///< status as it is
    std::optional<Ending> ending;
    bool abandoned = false; ///< whoever made it was killed: nothing will come of it any more
};

/// The jails of one user on this machine: a directory with one directory for each.
class Store {
public:
    /// `directory`: as given by --state or --root; empty: /run/isolate for root, else
    /// $XDG_RUNTIME_DIR/isolate. It is made (mode 0700) when missing.
    /// Errors: it is another user's, or others may write to it.
    static Result<Store> open(std::string directory);

    /// Takes a name: the jail's directory appears with its record in it and locked, or not at all.
    /// Errors: the name is in use.
    Result<JailDirectory> create(Record const& record) const;
    /// Locks a jail, waiting a while for whoever works on it. Errors: there is none of this name.
    Result<JailDirectory> lock(std::string const& name) const;
    /// Looks without a lock. Errors: there is none of this name.
    Result<Seen> look(std::string const& name) const;
    /// The same for a jail that is locked.
    static Result<Seen> look(JailDirectory const& jail);
    [[nodiscard]] Result<std::vector<std::string>> names() const;

    [[nodiscard]] std::string const& path() const { return path_; }
    [[nodiscard]] int fd() const { return directory_.get(); }

private:
    Store(std::string path, Fd directory)
        : path_(std::move(path))
        , directory_(std::move(directory)) {}
    Result<JailDirectory> enter(std::string const& name) const;
    void sweep() const;

    std::string path_;
    Fd directory_;
};

/// Whether a created jail still waits for its start: its socket accepts.
bool waits_for_start(int jail_directory);
/// A connection to the socket on which a created jail waits. Errors: it does not wait any more.
Result<Fd> connect_to_start(int jail_directory);
/// Makes that socket, in a jail's directory.
Result<Fd> listen_for_start(int jail_directory);

} // namespace iso::jail
