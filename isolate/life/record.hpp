#pragma once

#include "common/result.hpp"
#include "isolate/life/process.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace iso::jail {

/// What a jail is doing. The names are those of OCI's runtime specification (runtime.md, "State"),
/// and "paused" beside them, as other runtimes have it.
enum class Status : std::uint8_t {
    creating, ///< being set up
    created,  ///< the set-up stands; the program was not started yet
    running,
    paused,
    stopped,
};
[[nodiscard]] char const* to_string(Status status);

/// What is kept on disk about a named jail beside its description: who it is on this machine.
struct Record {
    std::string name;
    Status status = Status::creating; ///< as last written; Store::look() knows what is true now
    ProcessId init;                   ///< its process 1, as the host numbers it
    ProcessId keeper; ///< who watches over it, and records its end; while creating: who creates it
    std::string boot; ///< of the machine, when this was written
    std::uint64_t created_at = 0; ///< seconds since 1970
    std::string bundle;           ///< --bundle, resolved; empty: described by isolate's own means
    std::string root;             ///< the directory that is its root, where there is one
    std::vector<std::string> command;
    std::map<std::string, std::string> annotations;
    std::string group;        ///< its control group, as Groups::open() takes it; empty: none
    std::uint32_t uid = 0;    ///< of whoever made it
    bool detached = false;    ///< stays, stopped, after its program has ended
    bool temporary = false;   ///< --rm: does not
    bool own_init = true;     ///< process 1 is isolate's, not the program
    bool terminal = false;    ///< -t
    bool has_network = false; ///< its network namespace is its own
    std::uint64_t timeout_ns = 0;
};

/// How a jail ended, written by its keeper.
struct Ending {
    int exit_status = 0;  ///< as `isolate run` would have ended
    std::string how;      ///< "exited", "signalled", "timeout", "killed"
    std::uint64_t at = 0; ///< seconds since 1970
};

[[nodiscard]] std::string to_json(Record const& record);
/// Errors: not JSON, wrong types, another schema, a name that none may have.
Result<Record> parse_record(std::string const& json);

[[nodiscard]] std::string to_json(Ending const& ending);
Result<Ending> parse_ending(std::string const& json);

} // namespace iso::jail
