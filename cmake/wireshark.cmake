# SPDX-License-Identifier: BSD-3-Clause
#
# The dissector for Wireshark: tables that come out of the walkers, and wireshark/spdm.lua behind them. What prints the
# tables runs here, so there is none in a cross build; it has an io engine of its own, and is built without sanitizers,
# under which it takes a minute.

if(CMAKE_CROSSCOMPILING OR NOT ASSAY_NAMES)
  return()
endif()
file(GLOB layout_sources CONFIGURE_DEPENDS src/wire/*.c src/algo/*.c src/base/*.c)
list(FILTER layout_sources EXCLUDE REGEX "/src/wire/io\\.c$")
add_executable(wireshark_layout wireshark/layout.c ${layout_sources})
target_include_directories(wireshark_layout PRIVATE include src)
target_compile_definitions(wireshark_layout PRIVATE _POSIX_C_SOURCE=200809L)
foreach(property COMPILE_OPTIONS LINK_OPTIONS)
  get_target_property(options wireshark_layout ${property})
  list(FILTER options EXCLUDE REGEX "sanitize")
  set_target_properties(wireshark_layout PROPERTIES ${property} "${options}")
endforeach()
target_compile_options(wireshark_layout PRIVATE -O2)

set(dissector ${PROJECT_BINARY_DIR}/wireshark/spdm.lua)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/wireshark)
add_custom_command(OUTPUT ${dissector} DEPENDS wireshark_layout ${PROJECT_SOURCE_DIR}/wireshark/spdm.lua VERBATIM
  COMMAND sh -c "{ \"$1\" && cat \"$2\"; } >\"$3.new\" && mv \"$3.new\" \"$3\"" sh $<TARGET_FILE:wireshark_layout>
          ${PROJECT_SOURCE_DIR}/wireshark/spdm.lua ${dissector})
add_custom_target(wireshark ALL DEPENDS ${dissector})
install(FILES ${dissector} DESTINATION ${CMAKE_INSTALL_LIBDIR}/wireshark/plugins)
