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

# completions/spdm.bash -> share/bash-completion/completions/spdm
file(GLOB completions CONFIGURE_DEPENDS completions/*.bash)
foreach(file IN LISTS completions)
  cmake_path(GET file STEM name)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${name})
endforeach()
