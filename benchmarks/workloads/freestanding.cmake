# iso_freestanding(NAME DIRECTORY SOURCES...): a static x86-64 Linux executable without a C library,
# whose bytes depend on its sources and the compiler alone: not on the build type, the user's
# CXXFLAGS, nor the paths of the source and build directories.
#
# Everything that could vary is cleared in the including directory's scope before the target is made.
foreach(flags CMAKE_CXX_FLAGS CMAKE_ASM_FLAGS CMAKE_EXE_LINKER_FLAGS)
    set(${flags} "")
    foreach(config DEBUG RELEASE RELWITHDEBINFO MINSIZEREL)
        set(${flags}_${config} "")
    endforeach()
endforeach()

set(ISO_FREESTANDING_DIR ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(ISO_FREESTANDING_ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)

function(iso_freestanding name directory)
    add_executable(${name} ${ARGN} ${ISO_FREESTANDING_DIR}/runtime/start_x86_64.S
                   ${ISO_FREESTANDING_DIR}/runtime/memory.cpp)
    target_include_directories(${name} PRIVATE ${ISO_FREESTANDING_ROOT})
    target_compile_options(${name} PRIVATE
        -g0 -march=x86-64 -mtune=generic -fno-pie -fcf-protection=none
        -ffile-prefix-map=${ISO_FREESTANDING_ROOT}/=
        $<$<COMPILE_LANGUAGE:CXX>:-std=c++20 -O2 -ffreestanding -fno-exceptions -fno-rtti
            -fno-stack-protector -fno-asynchronous-unwind-tables -fno-threadsafe-statics
            -fno-tree-loop-distribute-patterns -ffp-contract=off -fno-ident
            -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast>)
    if(ISO_WERROR)
        target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
    endif()
    target_link_options(${name} PRIVATE -static -nostdlib -no-pie
        -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 -Wl,--fatal-warnings
        -Wl,-T,${ISO_FREESTANDING_DIR}/runtime/layout.ld)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${directory}
        LINK_DEPENDS ${ISO_FREESTANDING_DIR}/runtime/layout.ld)
endfunction()
