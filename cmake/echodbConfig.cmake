# find_package(echodb) for an installation with include/ and lib/ beside this directory's parents,
# as in PREFIX/lib/cmake/echodb. Gives the target echodb::echodb.

get_filename_component(_echodb_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

find_path(echodb_INCLUDE_DIR echodb.h HINTS "${_echodb_prefix}/include" NO_DEFAULT_PATH)
find_library(echodb_LIBRARY echodb HINTS "${_echodb_prefix}/lib" NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(echodb REQUIRED_VARS echodb_LIBRARY echodb_INCLUDE_DIR)

if(echodb_FOUND AND NOT TARGET echodb::echodb)
  add_library(echodb::echodb UNKNOWN IMPORTED)
  set_target_properties(echodb::echodb PROPERTIES
    IMPORTED_LOCATION "${echodb_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${echodb_INCLUDE_DIR}")
endif()

unset(_echodb_prefix)
