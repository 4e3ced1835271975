#pragma once

#include "common/result.hpp"
#include "isolate/limits/settings.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace iso::jail {

/// Which code makes and writes control groups. Both do the same, and the same tests run on both.
enum class GroupBackendKind : std::uint8_t {
    direct,    ///< mkdir(2) and write(2) in the cgroup file system
    libcgroup, ///< the library, see docs/isolate.md for what each costs
};

inline constexpr GroupBackendKind k_usual_group_backend = GroupBackendKind::direct;

[[nodiscard]] char const* to_string(GroupBackendKind kind);

/// One directory of a group. A group has one in each hierarchy that it needs.
struct GroupPlace {
    std::string mount;                    ///< "/sys/fs/cgroup/memory"
    std::string name;                     ///< below it: "/user/isolate.77-1f00dcafe"
    std::vector<std::string> controllers; ///< of the hierarchy, those that the group uses
    bool v2 = false;

    [[nodiscard]] std::string directory() const { return mount + name; }
    [[nodiscard]] bool has(std::string const& controller) const;
};

/// A setting and the index of the place whose file it is.
struct PlacedSetting {
    std::size_t place = 0;
    Setting setting;
};

/// What the two ways of handling control groups have in common.
class GroupBackend {
public:
    GroupBackend() = default;
    GroupBackend(GroupBackend const&) = delete;
    GroupBackend& operator=(GroupBackend const&) = delete;
    virtual ~GroupBackend() = default;

    /// Makes the directories with those above them, and hands controllers down to them (version 2).
    /// What it made before an error stays: the caller removes it.
    virtual Result<void> make(std::vector<GroupPlace> const& places) = 0;
    /// Writes settings, in order. Those before one that fails stay written.
    virtual Result<void> write(std::vector<GroupPlace> const& places,
                               std::vector<PlacedSetting> const& settings) = 0;
    /// The contents of a file of a controller, without the newline at the end.
    virtual Result<std::string> read(GroupPlace const& place, std::string const& controller,
                                     std::string const& file) = 0;
    /// Moves a process into every place. A process that is gone is an error (ESRCH).
    virtual Result<void> attach(std::vector<GroupPlace> const& places, pid_t pid) = 0;
    /// The processes in the directory itself, not in those below it.
    virtual Result<std::vector<pid_t>> processes(GroupPlace const& place) = 0;
    /// Removes a directory and those below it. Errors: EBUSY while a process is in one.
    virtual Result<void> remove(GroupPlace const& place) = 0;
};

std::unique_ptr<GroupBackend> make_group_backend(GroupBackendKind kind);
std::unique_ptr<GroupBackend> make_direct_backend();
std::unique_ptr<GroupBackend> make_libcgroup_backend();

[[nodiscard]] bool is_there(std::string const& path);
/// Whether `word` is one of the words of a line such as that of cgroup.controllers.
[[nodiscard]] bool lists(std::string_view words, std::string_view word);

/// The directories directly below one, by name.
std::vector<std::string> subdirectories(std::string const& directory);

} // namespace iso::jail
