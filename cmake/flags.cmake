# SPDX-License-Identifier: BSD-3-Clause
#
# Compiler flags, and the helpers that apply them.

add_compile_options(
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -ffunction-sections -fdata-sections)
# GCC for x86-64 sets structs to zero by `rep stos`, which takes longer to begin than a dozen stores take.
include(CheckCCompilerFlag)
set(stores "-mmemset-strategy=vector_loop:512:noalign,libcall:-1:align")
check_c_compiler_flag(${stores} ASSAY_HAS_MEMSET_STRATEGY)
if(ASSAY_HAS_MEMSET_STRATEGY)
  add_compile_options(${stores})
endif()
if(ASSAY_WERROR)
  add_compile_options(-Werror)
endif()
if(ASSAY_SANITIZE)
  add_compile_options(-fsanitize=${ASSAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ASSAY_SANITIZE})
endif()
if(ASSAY_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "ASSAY_FUZZ needs clang: use the preset `fuzz`")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(NOT ASSAY_NAMES)
  add_compile_definitions(SPDM_NO_NAMES)
endif()
add_link_options(-Wl,--gc-sections)

# A static library; a layer that has no file yet becomes an empty interface, so that it can be linked all the same.
function(assay_library name)
  if(ARGN)
    add_library(${name} STATIC ${ARGN})
    target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  endif()
endfunction()

# Code that runs on an operating system: POSIX, and the usual hardening in optimised builds.
function(assay_hosted name)
  target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT ASSAY_SANITIZE)
    target_compile_options(${name} PRIVATE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    target_link_options(${name} PRIVATE -Wl,-z,relro,-z,now)
  endif()
endfunction()
