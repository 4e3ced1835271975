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
iso_find_dependency(iso_json nlohmann/json.hpp)
iso_find_dependency(iso_cli11 CLI/CLI.hpp)
iso_find_dependency(iso_seccomp seccomp.h libseccomp.a seccomp)
iso_find_dependency(iso_cap sys/capability.h libcap.a cap)
iso_find_dependency(iso_cgroup libcgroup.h libcgroup.a cgroup)
# Of libarchive's archive only what reads tar and gzip is linked, which needs zlib alone.
iso_find_dependency(iso_zlib zlib.h libz.a z)
iso_find_dependency(iso_archive archive.h libarchive.a archive)
target_link_libraries(iso_archive INTERFACE ${iso_zlib_LIBRARY})
find_package(Threads REQUIRED)

# libnl has its headers in a folder of its own; the library for routes needs the one below it.
find_path(iso_nl_INCLUDE netlink/netlink.h PATH_SUFFIXES libnl3 REQUIRED)
find_library(iso_nl_route_LIBRARY NAMES libnl-route-3.a nl-route-3 REQUIRED)
find_library(iso_nl_LIBRARY NAMES libnl-3.a nl-3 REQUIRED)
add_library(iso_nl INTERFACE IMPORTED GLOBAL)
target_include_directories(iso_nl SYSTEM INTERFACE ${iso_nl_INCLUDE})
# Its modules register themselves before main(), which costs every start of isolate eighteen page faults.
# In copies of the static archives those constructors get a section of their own, and netlink.cpp calls
# them when there is something to do.
if(CMAKE_OBJCOPY AND iso_nl_route_LIBRARY MATCHES "[.]a$" AND iso_nl_LIBRARY MATCHES "[.]a$")
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
    foreach(archive nl_route nl)
        execute_process(COMMAND ${CMAKE_OBJCOPY} --rename-section
            .init_array=iso_nl_constructors,alloc,load,data,contents
            ${iso_${archive}_LIBRARY} ${CMAKE_BINARY_DIR}/lib/late-${archive}.a COMMAND_ERROR_IS_FATAL ANY)
        set(iso_${archive}_LATE ${CMAKE_BINARY_DIR}/lib/late-${archive}.a)
    endforeach()
    target_compile_definitions(iso_nl INTERFACE ISO_NL_LATE=1)
    target_link_libraries(iso_nl INTERFACE ${iso_nl_route_LATE} ${iso_nl_LATE} Threads::Threads)
else()
    target_link_libraries(iso_nl INTERFACE ${iso_nl_route_LIBRARY} ${iso_nl_LIBRARY} Threads::Threads)
endif()

# fmt: Debian has no static archive of it, so its code is compiled here once (common/fmt_archive.cpp
# names version 9's templates); another version is used from its headers, which compiles slowly.
set(fmt_core ${iso_fmt_INCLUDE}/fmt/core.h)
if(EXISTS ${iso_fmt_INCLUDE}/fmt/base.h)
    set(fmt_core ${iso_fmt_INCLUDE}/fmt/base.h)
endif()
file(STRINGS ${fmt_core} fmt_version REGEX "#define FMT_VERSION ")
if(fmt_version MATCHES "FMT_VERSION 9")
    add_library(iso_fmt_archive STATIC ${CMAKE_SOURCE_DIR}/common/fmt_archive.cpp)
    target_include_directories(iso_fmt_archive SYSTEM PRIVATE ${iso_fmt_INCLUDE})
    target_link_libraries(iso_fmt INTERFACE iso_fmt_archive)
else()
    target_compile_definitions(iso_fmt INTERFACE FMT_HEADER_ONLY=1)
endif()

# nlohmann-json is all templates; what every reader and writer needs of it is compiled here once
# (common/json.hpp). The sanitizers check it too, optimised: tests that parse a thousand texts run in it.
add_library(iso_json_archive STATIC ${CMAKE_SOURCE_DIR}/common/json_archive.cpp)
target_link_libraries(iso_json_archive PRIVATE iso_host_flags iso_json)
if(ISO_SANITIZE)
    target_compile_options(iso_json_archive PRIVATE -O1)
endif()
target_link_libraries(iso_json INTERFACE iso_json_archive)
