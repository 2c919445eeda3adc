# SPDX-License-Identifier: BSD-3-Clause
#
# The libraries the port stands on. OpenSSL is needed as soon as there is a port; of the others each takes its
# files with it when it is missing: port/*_uv.c, port/*_pcap.c and so on, and apps see ASSAY_HAVE_<NAME>.

find_package(PkgConfig)
add_library(assay_host INTERFACE)
set(host_packages)     # pkg-config names of what was found, for assay-port.pc
set(host_missing)      # file name endings to leave out

macro(host_library name module suffix)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name} IMPORTED_TARGET ${module})
  endif()
  if(${name}_FOUND)
    target_link_libraries(assay_host INTERFACE PkgConfig::${name})
    target_compile_definitions(assay_host INTERFACE ASSAY_HAVE_${name}=1)
    list(APPEND host_packages ${module})
  else()
    list(APPEND host_missing ${suffix})
  endif()
endmacro()

host_library(OPENSSL libcrypto _openssl)
host_library(UV libuv _uv)
host_library(PCAP libpcap _pcap)
host_library(JANSSON jansson _jansson)
host_library(CONFIG libconfig _libconfig)

if(NOT OPENSSL_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/port)
  message(FATAL_ERROR "OpenSSL's libcrypto was not found: scripts/install-deps.sh build")
endif()

# Takes the files out of the list whose library is missing, and says so.
function(assay_drop_unsupported list)
  set(kept ${${list}})
  foreach(suffix IN LISTS host_missing)
    set(all ${kept})
    list(FILTER kept EXCLUDE REGEX "${suffix}\\.c$")
    if(NOT kept STREQUAL all)
      message(WARNING "port/*${suffix}.c are left out: their library was not found (scripts/install-deps.sh build)")
    endif()
  endforeach()
  set(${list} ${kept} PARENT_SCOPE)
endfunction()
