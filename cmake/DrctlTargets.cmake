# How the house is built: every folder of orchestrator/ is one static library, and a library sees
# the headers of just those libraries that it names under USES. An include that runs against the
# layers does not compile, since the folder it names is not on the include path.

add_library(drctl_flags INTERFACE)
target_compile_definitions(drctl_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(drctl_flags INTERFACE
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wwrite-strings -Wformat=2 -Wvla -Wno-gnu-statement-expression -fno-common
    -include "${CMAKE_SOURCE_DIR}/orchestrator/base/banned.h")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # An output is set when the call returned 0 and untouched otherwise; gcc cannot see that across
    # files and warns by its inliner's mood.
    target_compile_options(drctl_flags INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    target_compile_options(drctl_flags INTERFACE -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Rel")
    target_compile_options(drctl_flags INTERFACE -fstack-protector-strong)
    target_compile_definitions(drctl_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(DRCTL_SANITIZE)
    target_compile_options(drctl_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(drctl_flags INTERFACE -fsanitize=address,undefined)
endif()
if(DRCTL_COVERAGE)
    target_compile_options(drctl_flags INTERFACE --coverage)
    target_link_options(drctl_flags INTERFACE --coverage)
endif()
if(DRCTL_FUZZ)
    target_compile_options(drctl_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# drctl_library(NAME SOURCES a.c … [USES lower-library …] [LINKS imported-target …])
function(drctl_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
    set(include_root "${CMAKE_BINARY_DIR}/include/${name}")
    file(MAKE_DIRECTORY "${include_root}")
    get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${include_root}/${folder}" SYMBOLIC)
    add_library(drctl_${name} STATIC ${ARG_SOURCES})
    target_include_directories(drctl_${name} PUBLIC "${include_root}")
    foreach(lower IN LISTS ARG_USES)
        target_link_libraries(drctl_${name} PUBLIC drctl_${lower})
    endforeach()
    target_link_libraries(drctl_${name} PUBLIC ${ARG_LINKS} PRIVATE drctl_flags)
    if(DRCTL_SANITIZE OR DRCTL_COVERAGE)
        target_link_libraries(drctl_${name} PUBLIC drctl_flags)
    endif()
endfunction()

# drctl_test(NAME SOURCES test_x.c … [USES library …] [LINKS target …]): one cmocka program, known to
# ctest as NAME. DRCTL_SOURCE_DIR is the root of the checkout, for golden folders.
function(drctl_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
    add_executable(test_${name} ${ARG_SOURCES})
    foreach(library IN LISTS ARG_USES)
        target_link_libraries(test_${name} PRIVATE drctl_${library})
    endforeach()
    target_link_libraries(test_${name} PRIVATE ${ARG_LINKS} PkgConfig::CMOCKA drctl_flags)
    target_compile_definitions(test_${name} PRIVATE DRCTL_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                               DRCTL_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()
