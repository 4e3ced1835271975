# `cmake --install build --prefix PREFIX`: programs and workloads stand in lib/isolab exactly as in
# the build folder, because the programs find each other and the workloads by their own place (the
# guest kernel is inside vmm-mini); bin/ has links to the programs, share/doc/isolab the documents.
include(GNUInstallDirs)
set(ISO_INSTALL_DIR lib/isolab)

# Called when every target is known: what the listed folders build, tests excepted, is installed.
function(iso_install)
    foreach(folder guest isolate vmm-mini paravirt-demo benchmarks/workloads benchmarks/peers benchmarks/micro benchmarks/harness)
        if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/${folder})
            iso_install_folder(${CMAKE_SOURCE_DIR}/${folder})
        endif()
    endforeach()
    install(FILES README.md CAVEATS.md LICENSE docs/architecture.md docs/engine-contract.md docs/gate.md docs/history.md docs/taxonomy.md
            DESTINATION ${CMAKE_INSTALL_DOCDIR})
    install(DIRECTORY docs/figures DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.svg)
endfunction()

function(iso_install_folder folder)
    # A folder that the build does not use (yet) has no targets.
    get_property(children DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTY SUBDIRECTORIES)
    get_property(deeper DIRECTORY ${CMAKE_SOURCE_DIR}/benchmarks PROPERTY SUBDIRECTORIES)
    if(NOT folder IN_LIST children AND NOT folder IN_LIST deeper)
        return()
    endif()
    get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        get_target_property(kind ${target} TYPE)
        get_target_property(place ${target} RUNTIME_OUTPUT_DIRECTORY)
        if(NOT kind STREQUAL EXECUTABLE OR NOT place)
            continue()
        endif()
        file(RELATIVE_PATH where ${CMAKE_BINARY_DIR} ${place})
        if(where MATCHES "^(\\.\\.|tests)" OR target MATCHES "_test$")
            continue()
        endif()
        install(TARGETS ${target} RUNTIME DESTINATION ${ISO_INSTALL_DIR}/${where})
        if(where STREQUAL bin)
            # A link is made at install time, below DESTDIR too.
            install(CODE "
                set(bin \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin\")
                file(MAKE_DIRECTORY \"\${bin}\")
                file(CREATE_LINK ../${ISO_INSTALL_DIR}/bin/${target} \"\${bin}/${target}\" SYMBOLIC)")
        endif()
    endforeach()
endfunction()

cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL iso_install)
