#pragma once

#include "isolate/shared.hpp"

/// The kernel calls behind the steps, by subject. All run in the child after clone: nothing here
/// allocates. Each returns 0 or an errno value.
namespace iso::jail::steps {

/// 0, or errno when `value` is negative.
int result(long value);
/// An O_PATH descriptor on a path as openat2(2) finds it, or -1 with errno. Without `follow` a
/// symbolic link at the end is opened itself.
int open_path(int directory, char const* path, std::uint64_t resolve, bool follow = false);
/// The same for a path of the jail, from its root: links are followed inside, magic links never.
int open_inside(char const* path, bool follow = true);

// step_mount.cpp
int take_tree(Step const& step, int* slots);
int require_device(Step const& step, int const* slots);
int new_filesystem(Step const& step, int* slots);
int new_overlay(Step const& step, int* slots);
int make_layers(Step const& step, int const* slots);
int restrict_mount(Step const& step, int const* slots);
int cover_root(int tree);
int uncover_root(int tree);
int detach_host();
int enter_root(int root);
int change_root(char const* path);
int attach(int tree, char const* path, bool strictly);
int mask(Step const& step, int const* slots);
int cover_read_only(char const* path);
int make_read_only(char const* path);

// step_copy.cpp
int copy_up(Step const& step, int const* slots);

// step_files.cpp
int place_directory(char const* path, mode_t mode);
int place_file(char const* path);
int place_link(char const* path, char const* target);
int place_node(Step const& step);
int make_file(char const* path);

// step_terminal.cpp
int open_terminal(Step const& step, ChildSetup const& setup);

// step_rights.cpp
int become_root_inside(JailPlan const& plan);
int become_user(JailPlan const& plan);
int drop_bounding(std::uint64_t kept);
int drop_capabilities();
int set_capabilities(CapabilitySpec const& sets);
int set_limit(Step const& step);
int set_limits_exactly(Step const& step);

} // namespace iso::jail::steps
