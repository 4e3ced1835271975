# Builds every workload again, from a copy of the sources under another path, in another build
# directory, with another build type and hostile flags in the environment, and compares the bytes.
file(REMOVE_RECURSE ${SCRATCH})
set(copy ${SCRATCH}/a/deeper/path)
file(COPY ${SOURCE}/benchmarks/workloads DESTINATION ${copy}/benchmarks)
file(COPY ${SOURCE}/common/sha256.hpp DESTINATION ${copy}/common)
file(WRITE ${copy}/CMakeLists.txt
    "cmake_minimum_required(VERSION 3.25)\n"
    "project(elsewhere LANGUAGES CXX ASM)\n"
    "set(ISO_WORKLOAD_DIR \${CMAKE_BINARY_DIR}/workloads)\n"
    "add_subdirectory(benchmarks/workloads)\n")

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${ARGN} ended with ${status}:\n${output}")
    endif()
endfunction()

set(ENV{CCACHE_DISABLE} 1) # or the second build would be the first one's bytes
set(ENV{CXXFLAGS} "-g -O0 -fstack-protector-all")
set(ENV{LDFLAGS} "-Wl,--build-id")
set(ENV{SOURCE_DATE_EPOCH} 1)
run(${CMAKE_COMMAND} -S ${copy} -B ${SCRATCH}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --target workloads)

foreach(workload ${WORKLOADS})
    file(SHA256 ${BUILT}/${workload} first)
    file(SHA256 ${SCRATCH}/build/workloads/${workload} second)
    if(NOT first STREQUAL second)
        message(SEND_ERROR "${workload}: ${first} here, ${second} elsewhere")
    else()
        message("${workload}: ${first}")
    endif()
    file(STRINGS ${BUILT}/${workload} leaked REGEX "${SOURCE}")
    if(leaked)
        message(SEND_ERROR "${workload} holds the source path: ${leaked}")
    endif()
endforeach()
file(REMOVE_RECURSE ${SCRATCH})
