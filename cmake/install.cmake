# SPDX-License-Identifier: BSD-3-Clause
#
# What `make install` lays down. The port's headers keep their own root, so that #include "port/x.h" reads the
# same inside and outside this tree; pkg-config's assay-port knows the way.

include(GNUInstallDirs)

function(install_pc name)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

if(core_sources)
  install(TARGETS assay)
  install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/assay)
  install_pc(assay)
endif()
if(port_sources)
  file(GLOB port_headers CONFIGURE_DEPENDS port/*.h)
  string(REPLACE ";" " " PORT_REQUIRES "${host_packages}")
  install(TARGETS assay_port)
  install(FILES ${port_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/assay-port/port)
  install_pc(assay-port)
endif()
if(programs)
  install(TARGETS ${programs})
endif()

foreach(section 1 3 5 7 8)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  if(pages)
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()

# The program prints its own completion.
if(spdm IN_LIST programs AND NOT CMAKE_CROSSCOMPILING)
  set(completion ${PROJECT_BINARY_DIR}/completions/spdm)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/completions)
  add_custom_command(OUTPUT ${completion} DEPENDS spdm VERBATIM
    COMMAND sh -c "\"$1\" completion bash >\"$2\"" sh $<TARGET_FILE:spdm> ${completion})
  add_custom_target(completions ALL DEPENDS ${completion})
  install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
