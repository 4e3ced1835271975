#pragma once

#include "isolate/mount_options.hpp"
#include "isolate/plan.hpp"
#include "isolate/root_layout.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// Writes the list of steps of a jail; one method for each part of the wall, in the order of the
/// walk. Its methods are in plan_host.cpp (namespaces, ids, what concerns no file), plan_root.cpp
/// (the root and what is mounted, up to the point where the host is gone), plan_furnish.cpp (the
/// walk inside) and plan_process.cpp (limits, rights, the program).
class Planner {
public:
    Planner(JailPlan& plan, JailOptions const& options, MemoryLimit memory)
        : plan_(plan)
        , options_(options)
        , spec_(options.spec)
        , memory_(memory) {}

    Result<void> write();
    /// The same for one more program of a jail that stands: what is in plan_process.cpp.
    Result<void> write_exec();

private:
    /// How the root comes about.
    enum class Root {
        own,   ///< of our making, with --root's entries bound into it: only we fill it
        given, ///< a directory or an overlay as it is: whatever is in it is not ours
        kept,  ///< the mount namespace's own: none is made
    };
    /// A mount of the spec, ready to be attached.
    struct Prepared {
        MountSpec const* mount;
        int slot;
        bool is_directory;
        bool copy_up = false;   ///< it is filled with what it covers
        bool read_only = false; ///< and may not be written to after that
    };
    struct CgroupPart {
        int slot;
        std::string path;
    };

    Step& add(Op op, char const* why) {
        plan_.steps.push_back(Step{.op = op, .why = why, .path = {}, .text = {}});
        return plan_.steps.back();
    }
    int new_slot() { return plan_.slots++; }
    bool fresh(Namespace which) const {
        return spec_.at(which).from == NamespaceChoice::From::fresh;
    }
    /// Of the jail's own, or of other jails that it shares with.
    bool own(Namespace which) const {
        return spec_.at(which).from != NamespaceChoice::From::host &&
               (which != Namespace::network || spec_.network.mode != NetworkSpec::Mode::host);
    }
    /// The directory that is the root's source; for one that is yet to be unpacked, its name.
    std::string const& root_directory() const {
        return options_.unpacked.empty() ? spec_.root.path : options_.unpacked;
    }
    bool own_network() const {
        return fresh(Namespace::network) && spec_.network.mode != NetworkSpec::Mode::host;
    }

    // plan_host.cpp
    Result<void> choose_namespaces();
    void open_namespaces();
    void join_namespaces();
    void identity();
    void surroundings();
    void clocks();
    void become_root();
    Result<void> settings();
    void see_own_groups();

    // plan_root.cpp
    Result<void> check_paths() const;
    std::vector<std::string> own_paths() const;
    Result<void> sources();
    Result<void> take_root();
    Result<void> take_binds();
    int take(std::string const& path, std::uint64_t attributes, char const* why);
    void restrict_tree(int slot, std::string const& shown, std::uint64_t attributes,
                       std::uint64_t propagation, char const* why);
    void devices();
    void take_device(char const* path, std::uint64_t number, char const* type);
    void layers();
    void make_upper();
    void filesystems();
    void standard_filesystems();
    Result<void> spec_filesystems();
    Result<int> cgroup_filesystems(std::string const& target, std::uint64_t attributes);
    Result<int> bind_own_groups(std::string const& target, std::uint64_t attributes);
    void root_filesystem();
    int make_filesystem(char const* type, std::string text, std::uint64_t attributes,
                        char const* why);
    std::string memory_size() const;
    void cross_over();

    // plan_furnish.cpp
    void furnish();
    void furnish_root();
    void standard_furniture();
    void show_program();
    void attach_spec_mounts(bool below_sys);
    void spec_devices();
    void hide();
    void finish_root();
    void directory(std::string const& path, unsigned mode, char const* why);
    void parents(std::string const& path);
    void file(std::string const& path, char const* why);
    void link(std::string const& path, std::string const& target, char const* why);
    void mount_at(int slot, std::string const& path, bool is_directory, char const* why,
                  bool strictly = false);

    // plan_process.cpp
    void limits();
    void limit(int resource, std::uint64_t value, char const* why);
    void privileges();
    Result<void> landlock();
    void filter();
    void program();

    JailPlan& plan_;
    JailOptions const& options_;
    JailSpec const& spec_;
    MemoryLimit memory_;
    Root root_ = Root::own;
    bool early_groups_ = false; ///< a cgroup mount shows them: they are joined before it is made
    std::vector<RootEntry> root_entries_;
    std::vector<int> root_slots_;
    std::vector<Prepared> prepared_;
    std::vector<CgroupPart> cgroup_parts_;
    std::vector<std::pair<std::string, std::string>> cgroup_links_;
    std::vector<int> namespace_slots_;
    std::vector<int> device_slots_;
    std::vector<int> spec_device_slots_;
    std::vector<std::string> made_;
    int program_slot_ = -1, root_slot_ = -1, layer_slot_ = -1, upper_slot_ = -1, dev_slot_ = -1,
        pts_slot_ = -1, shm_slot_ = -1, tmp_slot_ = -1, mask_slot_ = -1, sys_slot_ = -1,
        proc_slot_ = -1;
};

/// Attributes of what comes from the host into a jail of the usual kind.
inline constexpr std::uint64_t k_mount_hardened = 0x2 | 0x4;               // NOSUID, NODEV
inline constexpr std::uint64_t k_mount_data_only = k_mount_hardened | 0x8; // and NOEXEC

struct StandardDevice {
    char const* path;
    unsigned major;
    unsigned minor;
};
inline constexpr StandardDevice k_standard_devices[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

} // namespace iso::jail
