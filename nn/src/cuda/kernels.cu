// The kernels for a GPU. clang compiles this to PTX without a CUDA SDK, so what its headers would
// give is here: attributes, and the few instructions that kernels.inl names.
#define ACESO_BODY __attribute__((device)) static inline void
#define ACESO_DEVICE __attribute__((device)) static inline
#define ACESO_SHARED(type, name, count) \
  __attribute__((shared)) static __attribute__((aligned(16))) type name[count]
// Operations that threads of a block do together; the emulation suspends a thread here.
#define ACESO_TOGETHER(operation) operation
#define ACESO_RETURN return
// Arrays whose elements are all named by constants stay in registers.
#define ACESO_UNROLL _Pragma("unroll")

#include "arguments.hpp"

namespace aceso::nn::cuda {

ACESO_DEVICE int thread_index() { return __nvvm_read_ptx_sreg_tid_x(); }
ACESO_DEVICE int block_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
ACESO_DEVICE int block_y() { return __nvvm_read_ptx_sreg_ctaid_y(); }

ACESO_DEVICE void barrier() { __syncthreads(); }
ACESO_DEVICE float shuffle_xor(float x, int mask) {
  return __nvvm_shfl_sync_bfly_f32(0xffffffffU, x, mask, 31);
}

ACESO_DEVICE float multiply_add(float a, float b, float c) { return __nvvm_fma_rn_f(a, b, c); }
ACESO_DEVICE float square_root(float x) { return __nvvm_sqrt_rn_f(x); }
ACESO_DEVICE float reciprocal(float x) { return __nvvm_rcp_approx_ftz_f(x); }
ACESO_DEVICE float power_of_2(float x) { return __nvvm_ex2_approx_ftz_f(x); }
ACESO_DEVICE float larger(float a, float b) { return __nvvm_fmax_f(a, b); }
ACESO_DEVICE float infinity() { return __builtin_inff(); }

ACESO_DEVICE float widen(Bf16 x) {
  return __builtin_bit_cast(float, static_cast<unsigned>(x) << 16);
}
/// Two numbers rounded to nearest, ties to even; `low` in the lower half.
ACESO_DEVICE unsigned narrow_pair(float low, float high) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

/// The number that instructions for shared memory take.
ACESO_DEVICE unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(
      reinterpret_cast<unsigned long long>((const __attribute__((address_space(3))) void*)shared));
}

/// Copies 16 bytes to shared memory when copies_landed() says so, the last ones 0 if only
/// `present` bytes are there.
ACESO_DEVICE void copy_later(void* shared, const void* global, int present) {
  const unsigned to = shared_address(shared);
  const auto from =
      reinterpret_cast<unsigned long long>((const __attribute__((address_space(1))) void*)global);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(present)
               : "memory");
}
/// Ends a group of copies of this thread.
ACESO_DEVICE void end_copy_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until all groups of this thread but the last `kPending` have landed.
template <int kPending>
ACESO_DEVICE void copies_landed() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

/// Four matrices of 8 x 8 bf16 from shared memory; lane i gives where row i % 8 of matrix i / 8
/// begins (ldmatrix, PTX ISA).
ACESO_DEVICE void load_fragments(unsigned* fragments, const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(shared_address(row))
               : "memory");
}
/// The same, each matrix transposed.
ACESO_DEVICE void load_transposed_fragments(unsigned* fragments, const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(shared_address(row))
               : "memory");
}

/// sums += a b for a 16 x 16 and b 16 x 8, in the fragments of mma.m16n8k16 (PTX ISA).
ACESO_DEVICE void multiply_fragments(float* sums, const unsigned* a, const unsigned* b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

}  // namespace aceso::nn::cuda

#include "kernels.inl"

namespace aceso::nn::cuda {

#define ACESO_ENTRY(name, Arguments, threads, body)                                      \
  extern "C" __attribute__((global))                                                     \
  __attribute__((launch_bounds(threads))) void aceso_##name(const Arguments arguments) { \
    body(arguments);                                                                     \
  }
ACESO_CUDA_KERNELS(ACESO_ENTRY)

}  // namespace aceso::nn::cuda
