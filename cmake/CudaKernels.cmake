# aceso_cuda_kernels(TARGET source HEADERS headers...)
#   compiles CUDA kernels to PTX with clang, which needs no CUDA SDK for that, and embeds the text in TARGET
#   (`aceso_cuda_ptx`, ACESO_CUDA_PTX is defined). Without clang-19, or with
#   -DACESO_CUDA_CLANG=OFF, TARGET has no kernels and says so at run time.
find_program(ACESO_CUDA_CLANG clang++-19)

function(aceso_cuda_kernels target source)
  cmake_parse_arguments(arg "" "" "HEADERS" ${ARGN})
  if(NOT ACESO_CUDA_CLANG)
    message(STATUS "no clang-19: ${target} is built without kernels for GPUs")
    return()
  endif()
  set(ptx ${CMAKE_CURRENT_BINARY_DIR}/cuda_kernels.ptx)
  # PTX 7.0 for compute capability 8.0: what every driver since 2020 takes, for every GPU since then. An SDK that
  # happens to be on the machine is not looked at. Sums of products are fused where the source says so only.
  add_custom_command(
    OUTPUT ${ptx}
    COMMAND ${ACESO_CUDA_CLANG} -x cuda -std=c++20 --cuda-device-only --cuda-gpu-arch=sm_80
            --cuda-feature=+ptx70 --cuda-path=/nowhere -nocudainc -nocudalib -O3 -ffp-contract=off -Wall -Wextra
            -S -o ${ptx} ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPENDS ${source} ${arg_HEADERS}
    COMMENT "Compiling ${source} to PTX"
    VERBATIM)
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/cuda_kernels.S)
  file(CONFIGURE OUTPUT ${assembly} @ONLY CONTENT [[.section .note.GNU-stack,"",%progbits
.section .rodata
.global aceso_cuda_ptx
.global aceso_cuda_ptx_end
aceso_cuda_ptx:
.incbin "@ptx@"
aceso_cuda_ptx_end:
.byte 0
]])
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS ${ptx})
  target_sources(${target} PRIVATE ${assembly})
  target_compile_definitions(${target} PRIVATE ACESO_CUDA_PTX)
endfunction()
