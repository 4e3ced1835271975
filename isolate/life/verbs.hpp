#pragma once

#include "isolate/life/store.hpp"

#include <string>
#include <vector>

namespace iso::jail {

// What can be done with a jail that exists. Each prints its answer on stdout.

/// The error of a verb that is not for a jail in this status.
tl::unexpected<Error> wrong_status(Seen const& seen, char const* verb, std::string hint);

Result<void> start_jail(Store const& store, std::string const& name);
/// `all`: to every process inside, not only to process 1 (which passes it to the program).
Result<void> kill_jail(Store const& store, std::string const& name, int signal, bool all);
/// `force`: also one that runs, and it is no error when there is none.
Result<void> delete_jail(Store const& store, std::string const& name, bool force);
/// Stops every process of a jail where it is, and lets them go on.
Result<void> pause_jail(Store const& store, std::string const& name);
Result<void> resume_jail(Store const& store, std::string const& name);
/// Changes limits while the jail runs: "memory=64M", by the keys of a jail file. All or nothing.
Result<void> set_limits(Store const& store, std::string const& name,
                        std::vector<std::string> const& changes);
/// Waits for the end of a jail; returns its exit status.
Result<int> wait_jail(Store const& store, std::string const& name);

/// The state of a jail in OCI's form, as its hooks get it.
std::string state_json(Store const& store, Seen const& seen);
Result<void> print_state(Store const& store, std::string const& name);
enum class ListFormat { table, json, names };
Result<void> print_list(Store const& store, ListFormat format);
Result<void> print_processes(Store const& store, std::string const& name, bool json);
Result<void> print_stats(Store const& store, std::string const& name, bool json);
/// What is held, the most ever held, the limit, and how often it refused.
Result<void> print_limits(Store const& store, std::string const& name);
Result<void> print_logs(Store const& store, std::string const& name, bool follow);

} // namespace iso::jail
