# What Debian provides. Static archives are preferred: an engine's dynamic linking would be part of
# its start-up time, which the project measures.
function(iso_find_dependency target header)
    find_path(${target}_INCLUDE ${header} REQUIRED)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE})
    if(ARGN)
        find_library(${target}_LIBRARY NAMES ${ARGN} REQUIRED)
        target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
    endif()
endfunction()

iso_find_dependency(iso_expected tl/expected.hpp)
iso_find_dependency(iso_fmt fmt/format.h)
target_compile_definitions(iso_fmt INTERFACE FMT_HEADER_ONLY=1) # Debian's package has no static archive
iso_find_dependency(iso_json nlohmann/json.hpp)
iso_find_dependency(iso_cli11 CLI/CLI.hpp)
iso_find_dependency(iso_seccomp seccomp.h libseccomp.a seccomp)
iso_find_dependency(iso_cap sys/capability.h libcap.a cap)
iso_find_dependency(iso_cgroup libcgroup.h libcgroup.a cgroup)
find_package(Threads REQUIRED)
