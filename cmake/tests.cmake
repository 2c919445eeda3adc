# SPDX-License-Identifier: BSD-3-Clause
#
# Tests, fuzz targets and benchmarks. Every test runs in the top directory of the sources and finds in its
# environment: SPDM (the program), BUILD_DIR, SOURCE_DIR. Exit status 77 means skipped.

set(tests ${PROJECT_SOURCE_DIR}/tests)

function(assay_test name)
  set_tests_properties(${name} PROPERTIES
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    SKIP_RETURN_CODE 77
    TIMEOUT 300
    ENVIRONMENT "SOURCE_DIR=${PROJECT_SOURCE_DIR};BUILD_DIR=${PROJECT_BINARY_DIR};SPDM=${PROJECT_BINARY_DIR}/spdm")
endfunction()

# tests/wire/test_io.c -> wire/test_io, a name for people; and wire_test_io, one that a target can have
function(assay_name file path target)
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${tests} OUTPUT_VARIABLE name)
  cmake_path(REMOVE_EXTENSION name LAST_ONLY)
  set(${path} ${name} PARENT_SCOPE)
  string(REPLACE "/" "_" name ${name})
  set(${target} ${name} PARENT_SCOPE)
endfunction()

function(assay_test_program target)
  add_executable(${target} ${ARGN})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${tests})
  target_link_libraries(${target} PRIVATE assay_test_support ${program_parts} assay_port assay)
  assay_hosted(${target})
endfunction()

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c)
assay_library(assay_test_support ${support_sources})
if(support_sources)
  target_include_directories(assay_test_support PRIVATE src tests)
  target_link_libraries(assay_test_support PUBLIC assay_port assay)
  assay_hosted(assay_test_support)
endif()

# ---- unit tests ----
file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS tests/test_*.c)
if(unit_tests)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
foreach(file IN LISTS unit_tests)
  assay_name(${file} path target)
  assay_test_program(${target} ${file})
  target_link_libraries(${target} PRIVATE PkgConfig::CMOCKA)
  add_test(NAME ${path} COMMAND ${target})
  assay_test(${path})
endforeach()

# ---- what tests/interop/run drives, beside `spdm`, against a foreign implementation ----
file(GLOB interop_sources CONFIGURE_DEPENDS tests/interop/*.c)
assay_test_program(interop_driver ${interop_sources})

# ---- shell tests ----
file(GLOB_RECURSE shell_tests CONFIGURE_DEPENDS tests/*.sh)
list(FILTER shell_tests EXCLUDE REGEX "/tests/support/")
foreach(file IN LISTS shell_tests)
  assay_name(${file} path target)
  file(READ ${file} shebang LIMIT 40)
  if(shebang MATCHES "bash")
    add_test(NAME ${path} COMMAND bash ${file})
  else()
    add_test(NAME ${path} COMMAND sh ${file})
  endif()
  assay_test(${path})
  set_tests_properties(${path} PROPERTIES LABELS cli)
endforeach()

# ---- fuzz targets ----
file(GLOB fuzz_targets CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(file IN LISTS fuzz_targets)
  cmake_path(GET file STEM target)
  string(REGEX REPLACE "^fuzz_" "" name ${target})
  if(ASSAY_FUZZ)
    assay_test_program(${target} ${file})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    assay_test_program(${target} ${file} ${tests}/fuzz/replay.c)
    add_test(NAME fuzz/${name} COMMAND ${target} ${tests}/fuzz/corpus/${name})
    assay_test(fuzz/${name})
    set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz)
  endif()
  target_link_libraries(${target} PRIVATE PkgConfig::CMOCKA) # the pair in tests/support asserts with it
endforeach()

# ---- benchmarks: built with the tests, run by `make bench`; tests/bench/<other>.c is linked into each ----
# Heap calls of our own objects go through counters, those inside shared libraries do not.
file(GLOB benchmarks CONFIGURE_DEPENDS tests/bench/*.c)
set(bench_support ${benchmarks})
list(FILTER bench_support EXCLUDE REGEX "/bench_[^/]*$")
list(FILTER benchmarks INCLUDE REGEX "/bench_[^/]*$")
add_custom_target(benchmarks)
if(TARGET spdm)
  add_dependencies(benchmarks spdm) # bench_decode runs it
endif()
foreach(file IN LISTS benchmarks)
  cmake_path(GET file STEM target)
  assay_test_program(${target} ${file} ${bench_support})
  foreach(function malloc calloc realloc CRYPTO_malloc CRYPTO_zalloc CRYPTO_realloc)
    target_link_options(${target} PRIVATE -Wl,--wrap=${function})
  endforeach()
  add_dependencies(benchmarks ${target})
endforeach()

# ---- examples: they must compile, and tests/cli/example.sh runs them ----
file(GLOB examples CONFIGURE_DEPENDS examples/*.c)
foreach(file IN LISTS examples)
  cmake_path(GET file STEM name)
  add_executable(example_${name} ${file})
  target_link_libraries(example_${name} PRIVATE assay_port assay)
endforeach()
