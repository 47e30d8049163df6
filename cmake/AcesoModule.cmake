# Flags of our own code. Never leaks to those who link against us.
add_library(aceso_flags INTERFACE)
target_compile_features(aceso_flags INTERFACE cxx_std_20)
target_compile_options(aceso_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wno-missing-field-initializers)  # designated initialisers leave out what has a default
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The baseline; faster kernels are chosen at run time.
  add_compile_options(-march=x86-64-v2)
endif()
if(ACESO_SANITIZE)
  add_compile_options(-fsanitize=${ACESO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ACESO_SANITIZE})
endif()
find_program(ACESO_CCACHE ccache)
if(ACESO_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ACESO_CCACHE})
endif()
find_program(ACESO_LLD ld.lld)
if(ACESO_LLD)
  add_link_options(-fuse-ld=lld)
endif()
if(ACESO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# aceso_module(NAME [DEPENDS modules...] [PRIVATE libraries...] [TEST_LIBRARIES libraries...])
#   builds aceso::NAME from NAME/src/*.cpp with headers in NAME/include,
#   one test program from NAME/tests/*_test.cpp,
#   one fuzzer per NAME/fuzz/*_fuzz.cpp, one benchmark program per NAME/bench/*_bench.cpp,
#   and compiles every public header on its own, twice.
function(aceso_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/include include/*.hpp)

  add_library(aceso_${name} STATIC ${sources})
  add_library(aceso::${name} ALIAS aceso_${name})
  target_include_directories(aceso_${name} PUBLIC include PRIVATE src)
  target_link_libraries(aceso_${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE} aceso_flags)
  target_compile_features(aceso_${name} PUBLIC cxx_std_20)

  if(ACESO_TESTS)
    foreach(header IN LISTS headers)
      string(MAKE_C_IDENTIFIER ${header} id)
      set(probe ${CMAKE_CURRENT_BINARY_DIR}/header/${id}.cpp)
      file(CONFIGURE OUTPUT ${probe} CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
      list(APPEND probes ${probe})
    endforeach()
    if(probes AND NOT ACESO_SANITIZE)
      add_library(aceso_${name}_headers OBJECT ${probes})
      target_link_libraries(aceso_${name}_headers PRIVATE aceso::${name} aceso_flags)
    endif()
  endif()

  file(GLOB tests CONFIGURE_DEPENDS tests/*_test.cpp)
  if(ACESO_TESTS AND tests)
    add_executable(aceso_${name}_tests ${tests})
    target_include_directories(aceso_${name}_tests PRIVATE src tests)
    target_link_libraries(aceso_${name}_tests PRIVATE aceso::${name} ${arg_PRIVATE} ${arg_TEST_LIBRARIES} aceso_flags GTest::gtest_main)
    add_test(NAME ${name} COMMAND aceso_${name}_tests WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tests)
    set_tests_properties(${name} PROPERTIES TIMEOUT 900)
  endif()

  file(GLOB fuzzers CONFIGURE_DEPENDS fuzz/*_fuzz.cpp)
  if(ACESO_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      get_filename_component(id ${fuzzer} NAME_WE)
      add_executable(${id} ${fuzzer})
      target_include_directories(${id} PRIVATE src)
      target_link_libraries(${id} PRIVATE aceso::${name} ${arg_PRIVATE} aceso_flags -fsanitize=fuzzer)
    endforeach()
  endif()

  file(GLOB benches CONFIGURE_DEPENDS bench/*_bench.cpp)
  if(ACESO_BENCH)
    foreach(bench IN LISTS benches)
      get_filename_component(id ${bench} NAME_WE)
      add_executable(${id} ${bench})
      target_include_directories(${id} PRIVATE src)
      target_link_libraries(${id} PRIVATE aceso::${name} ${arg_PRIVATE} aceso_flags)
    endforeach()
  endif()
endfunction()

# aceso_embed(TARGET SYMBOL FILE): makes FILE's bytes available to TARGET as
#   extern "C" const unsigned char SYMBOL[]; extern "C" const unsigned char SYMBOL_end[];
function(aceso_embed target symbol file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embed/${symbol}.S)
  file(CONFIGURE OUTPUT ${source} CONTENT "#if defined(__ELF__)
.section .note.GNU-stack,\"\",%progbits
#endif
.section .rodata
.balign 16
.global ${symbol}
.global ${symbol}_end
${symbol}:
.incbin \"${file}\"
${symbol}_end:
.byte 0
" @ONLY)
  set_source_files_properties(${source} PROPERTIES LANGUAGE C OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
