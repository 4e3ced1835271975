# Options and defaults of the build.
option(ISO_TESTS "Build the tests" OFF)
option(ISO_MICRO "Build isolab-micro (Google Benchmark), by which compare turns counts into times" ON)
option(ISO_UNITY "Compile several files of a library as one: a whole build takes half the time" OFF)
option(ISO_WERROR "Treat warnings as errors" OFF)
option(ISO_STATIC "Link programs statically: an engine's own start-up is part of what is measured" ON)
set(ISO_SANITIZE "" CACHE STRING "Sanitizers for host code, for example address,undefined")
set(ISO_REQUIRE "" CACHE STRING "Needs that a lane must have (kvm;userns;root...): their tests fail instead of skipping")

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(ISO_WORKLOAD_DIR ${CMAKE_BINARY_DIR}/workloads)
if(ISO_SANITIZE)
    set(ISO_STATIC OFF) # the sanitizers' run-time libraries need a dynamic program
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# What all host code is compiled with; guest code and workloads set their own (they are freestanding).
add_library(iso_host_flags INTERFACE)
target_compile_options(iso_host_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Wcast-qual
    -Wnull-dereference -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_include_directories(iso_host_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
if(ISO_WERROR)
    target_compile_options(iso_host_flags INTERFACE -Werror)
endif()
if(ISO_SANITIZE)
    # Not vptr: that check asks the kernel about pointers by pipe(2), which confined programs may not.
    target_compile_options(iso_host_flags INTERFACE -fsanitize=${ISO_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer
                           -fno-sanitize-recover=undefined)
    target_link_options(iso_host_flags INTERFACE -fsanitize=${ISO_SANITIZE})
endif()
