# aceso_embed_folder(NAME FOLDER folder STAMP files FUNCTION function)
#   makes the library aceso::NAME, which defines aceso::assets::FUNCTION(): all files below FOLDER,
#   as they are when the library is built. STAMP are those that tell that they changed.
function(aceso_embed_folder name)
  cmake_parse_arguments(arg "" "FOLDER;FUNCTION" "STAMP" ${ARGN})
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/${name}.S)
  set(table ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(
    OUTPUT ${assembly} ${table}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${arg_FOLDER} -DFUNCTION=${arg_FUNCTION}
            -DASSEMBLY=${assembly} -DTABLE=${table} -P ${PROJECT_SOURCE_DIR}/cmake/embed_folder_script.cmake
    DEPENDS ${arg_STAMP} ${PROJECT_SOURCE_DIR}/cmake/embed_folder_script.cmake
    VERBATIM)
  add_library(aceso_${name} STATIC ${assembly} ${table})
  add_library(aceso::${name} ALIAS aceso_${name})
  target_include_directories(aceso_${name} PUBLIC ${PROJECT_SOURCE_DIR}/console/assets/include)
  target_compile_features(aceso_${name} PUBLIC cxx_std_20)
endfunction()
