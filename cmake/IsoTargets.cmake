# One way to declare each kind of target.
include(IsoInstall) # what `cmake --install` puts where, decided when every target is known

# iso_library(NAME DIR SOURCES... LINK libs...): static library iso_NAME with the alias iso::NAME.
function(iso_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
    add_library(iso_${name} STATIC ${arg_SOURCES})
    add_library(iso::${name} ALIAS iso_${name})
    target_link_libraries(iso_${name} PUBLIC iso_host_flags ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
    set_target_properties(iso_${name} PROPERTIES EXPORT_NAME ${name} UNITY_BUILD ${ISO_UNITY} UNITY_BUILD_BATCH_SIZE 10)
endfunction()

# iso_program(NAME SOURCES... LINK libs...): build/bin/NAME, static unless ISO_STATIC is off.
function(iso_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE iso_host_flags ${arg_LINK})
    if(ISO_STATIC)
        target_link_options(${name} PRIVATE -static)
    endif()
endfunction()

# What the tests with the label `unit` need, and nothing else: the sanitizers' build.
add_custom_target(unit_tests)

# iso_unit_test(NAME SOURCES... LINK libs... [LABELS ...] [SPLIT TAG]): a Catch2 program run by CTest with
# the label `unit`. A test case that lacks a capability calls ISO_SKIP (tests/support/catch.hpp). SPLIT:
# the test cases with this tag are a test of their own, NAME_TAG, beside the rest. The time limit is for
# what hangs; the sanitizers' code takes ten to fifty times as long.
function(iso_unit_test name)
    if(NOT ISO_TESTS)
        return()
    endif()
    cmake_parse_arguments(arg "" "SPLIT" "SOURCES;LINK;LABELS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE iso_host_flags iso_catch_main ${arg_LINK})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
                          UNITY_BUILD ${ISO_UNITY} UNITY_BUILD_BATCH_SIZE 10)
    add_dependencies(unit_tests ${name})
    set(tests ${name})
    if(arg_SPLIT)
        add_test(NAME ${name} COMMAND ${name} "~[${arg_SPLIT}]")
        add_test(NAME ${name}_${arg_SPLIT} COMMAND ${name} "[${arg_SPLIT}]")
        list(APPEND tests ${name}_${arg_SPLIT})
    else()
        add_test(NAME ${name} COMMAND ${name})
    endif()
    set(limit 300)
    if(ISO_SANITIZE)
        set(limit 900)
    endif()
    set_tests_properties(${tests} PROPERTIES LABELS "unit;${arg_LABELS}" TIMEOUT ${limit} SKIP_RETURN_CODE 77
                         ENVIRONMENT ASAN_OPTIONS=malloc_context_size=10)
endfunction()
