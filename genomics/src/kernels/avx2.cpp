#if defined(__x86_64__)

#define ACESO_AVX2 [[gnu::target("avx2,bmi,bmi2,popcnt")]]
#define ACESO_KERNEL_TARGET ACESO_AVX2

#include "kernels/kernels.hpp"
#include "kernels/overlap_search.hpp"

#include <immintrin.h>

#define ACESO_AVX2_INLINE [[gnu::target("avx2,bmi,bmi2,popcnt"), gnu::always_inline]] inline

namespace aceso::genomics {
namespace {

ACESO_AVX2_INLINE __m256i load(const char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

ACESO_AVX2_INLINE std::uint32_t bits(__m256i mask) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(mask));
}

ACESO_AVX2_INLINE std::uint32_t count(__m256i mask) {
  return static_cast<std::uint32_t>(_mm_popcnt_u32(bits(mask)));
}

ACESO_AVX2_INLINE std::uint64_t newlines(const char* p) {
  const __m256i wanted = _mm256_set1_epi8('\n');
  const std::uint64_t low = bits(_mm256_cmpeq_epi8(load(p), wanted));
  const std::uint64_t high = bits(_mm256_cmpeq_epi8(load(p + 32), wanted));
  return low | high << 32;
}

/// The bits of the first `left` of 64 letters.
ACESO_AVX2_INLINE std::uint64_t first(std::size_t left) {
  return left >= 64 ? ~0ULL : (1ULL << left) - 1;
}

/// 0xFF in the places [begin, end) of 32, begin and end clamped to 0..32 by the caller.
ACESO_AVX2_INLINE __m256i places(int begin, int end) {
  const __m256i index =
      _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                       22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
  const __m256i above = _mm256_cmpgt_epi8(index, _mm256_set1_epi8(static_cast<char>(begin - 1)));
  return _mm256_and_si256(above,
                          _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(end)), index));
}

ACESO_AVX2 std::size_t find_newlines(const char* text, std::size_t size, std::uint32_t* out) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size; i += 64) {
    for (std::uint64_t found = newlines(text + i) & first(size - i); found != 0; found &= found - 1)
      out[count++] = static_cast<std::uint32_t>(i + _tzcnt_u64(found));
  }
  return count;
}

ACESO_AVX2 std::size_t skip_lines(const char* text, std::size_t size, std::size_t& lines) {
  if (lines == 0) return 0;
  for (std::size_t i = 0; i < size; i += 64) {
    const std::uint64_t found = newlines(text + i) & first(size - i);
    const auto here = static_cast<std::size_t>(_mm_popcnt_u64(found));
    if (here >= lines) {
      const std::uint64_t last = _pdep_u64(1ULL << (lines - 1), found);
      lines = 0;
      return i + _tzcnt_u64(last) + 1;
    }
    lines -= here;
  }
  return size;
}

ACESO_AVX2 ReadFacts read_facts(const char* bases, const char* qualities, std::uint32_t length,
                                std::uint8_t qualified) {
  ReadFacts facts;
  const __m256i least = _mm256_set1_epi8(static_cast<char>(qualified + 33));
  const __m256i floor = _mm256_set1_epi8(33), ceiling = _mm256_set1_epi8(126);
  __m256i sums = _mm256_setzero_si256(), invalid = sums;
  for (std::uint32_t i = 0; i < length; i += 32) {
    const std::uint32_t left = length - i;
    const __m256i inside = left >= 32 ? _mm256_set1_epi8(-1) : places(0, static_cast<int>(left));
    const __m256i base = _mm256_and_si256(load(bases + i), inside);
    const __m256i quality = _mm256_and_si256(load(qualities + i), inside);
    const __m256i gc = _mm256_or_si256(_mm256_cmpeq_epi8(base, _mm256_set1_epi8('C')),
                                       _mm256_cmpeq_epi8(base, _mm256_set1_epi8('G')));
    const __m256i at = _mm256_or_si256(_mm256_cmpeq_epi8(base, _mm256_set1_epi8('A')),
                                       _mm256_cmpeq_epi8(base, _mm256_set1_epi8('T')));
    const __m256i n = _mm256_cmpeq_epi8(base, _mm256_set1_epi8('N'));
    const __m256i known = _mm256_or_si256(_mm256_or_si256(gc, at), n);
    facts.gc += count(gc);
    facts.n += count(n);
    facts.other += count(_mm256_andnot_si256(known, inside));
    // Unsigned comparisons: max(q, t) == q.
    facts.qualified += count(
        _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_max_epu8(quality, least), quality), inside));
    facts.q20 += count(_mm256_cmpeq_epi8(_mm256_max_epu8(quality, _mm256_set1_epi8(53)), quality));
    facts.q30 += count(_mm256_cmpeq_epi8(_mm256_max_epu8(quality, _mm256_set1_epi8(63)), quality));
    const __m256i clamped = _mm256_min_epu8(_mm256_max_epu8(quality, floor), ceiling);
    invalid =
        _mm256_or_si256(invalid, _mm256_and_si256(_mm256_xor_si256(clamped, quality), inside));
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(quality, _mm256_setzero_si256()));
  }
  const __m128i half =
      _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  const auto letters = static_cast<std::uint64_t>(_mm_cvtsi128_si64(half)) +
                       static_cast<std::uint64_t>(_mm_extract_epi64(half, 1));
  facts.quality_sum = static_cast<std::uint32_t>(letters) - 33U * length;
  facts.qualities_valid = _mm256_testz_si256(invalid, invalid) != 0;
  return facts;
}

/// Counters of one base over the strip: 8 bits a cycle, and sums of even and odd cycles in 16.
struct BaseCounters {
  __m256i count, even, odd;
};

ACESO_AVX2_INLINE void add(BaseCounters& counters, __m256i base, __m256i quality, char letter) {
  const __m256i here = _mm256_cmpeq_epi8(base, _mm256_set1_epi8(letter));
  counters.count = _mm256_sub_epi8(counters.count, here);
  const __m256i kept = _mm256_and_si256(quality, here);
  counters.even =
      _mm256_add_epi16(counters.even, _mm256_and_si256(kept, _mm256_set1_epi16(0x00FF)));
  counters.odd = _mm256_add_epi16(counters.odd, _mm256_srli_epi16(kept, 8));
}

ACESO_AVX2_INLINE void flush(const BaseCounters& counters, std::uint64_t* count,
                             std::uint64_t* quality) {
  alignas(32) std::uint8_t counts[32];
  alignas(32) std::uint16_t even[16], odd[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(counts), counters.count);
  _mm256_store_si256(reinterpret_cast<__m256i*>(even), counters.even);
  _mm256_store_si256(reinterpret_cast<__m256i*>(odd), counters.odd);
  for (int i = 0; i < 16; ++i) {
    count[2 * i] += counts[2 * i];
    count[2 * i + 1] += counts[2 * i + 1];
    // Letters were added; 33 less each is phred.
    quality[2 * i] += even[i] - 33U * counts[2 * i];
    quality[2 * i + 1] += odd[i] - 33U * counts[2 * i + 1];
  }
}

ACESO_AVX2 void add_strip(std::span<const Slice> slices, std::uint32_t cycle,
                          const StripPlanes& planes) {
  const __m256i zero = _mm256_setzero_si256();
  BaseCounters a{zero, zero, zero}, c = a, g = a, t = a;
  for (const Slice& slice : slices) {
    const std::int64_t begin = static_cast<std::int64_t>(slice.cycle) - cycle;
    const std::int64_t end = begin + slice.length;
    if (begin >= 32 || end <= 0) continue;
    __m256i base = load(slice.bases - begin);
    const __m256i quality = load(slice.qualities - begin);
    if (begin > 0 || end < 32)
      base = _mm256_and_si256(base, places(static_cast<int>(begin > 0 ? begin : 0),
                                           static_cast<int>(end < 32 ? end : 32)));
    add(a, base, quality, 'A');
    add(c, base, quality, 'C');
    add(g, base, quality, 'G');
    add(t, base, quality, 'T');
  }
  flush(a, planes.count[0], planes.quality[0]);
  flush(c, planes.count[1], planes.quality[1]);
  flush(g, planes.count[2], planes.quality[2]);
  flush(t, planes.count[3], planes.quality[3]);
}

/// A C G T differ in their low four bits: 1, 3, 7, 4. All other letters are looked up as N,
/// which needs their high bits to be those of a capital.
ACESO_AVX2_INLINE __m256i complement(__m256i bases) {
  const __m256i table = _mm256_setr_epi8('N', 'T', 'N', 'G', 'A', 'N', 'N', 'C', 'N', 'N', 'N', 'N',
                                         'N', 'N', 'N', 'N', 'N', 'T', 'N', 'G', 'A', 'N', 'N', 'C',
                                         'N', 'N', 'N', 'N', 'N', 'N', 'N', 'N');
  const __m256i found = _mm256_shuffle_epi8(table, _mm256_and_si256(bases, _mm256_set1_epi8(0x0F)));
  const __m256i acg =
      _mm256_or_si256(_mm256_cmpeq_epi8(bases, _mm256_set1_epi8('A')),
                      _mm256_or_si256(_mm256_cmpeq_epi8(bases, _mm256_set1_epi8('C')),
                                      _mm256_cmpeq_epi8(bases, _mm256_set1_epi8('G'))));
  const __m256i known = _mm256_or_si256(acg, _mm256_cmpeq_epi8(bases, _mm256_set1_epi8('T')));
  return _mm256_blendv_epi8(_mm256_set1_epi8('N'), found, known);
}

ACESO_AVX2 void reverse_complement(const char* bases, std::uint32_t length, char* out) {
  const __m256i backwards = _mm256_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
                                             15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  std::uint32_t i = 0;
  for (; i + 32 <= length; i += 32) {
    const __m256i turned =
        _mm256_shuffle_epi8(complement(load(bases + length - 32 - i)), backwards);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                        _mm256_permute4x64_epi64(turned, 0x4E));
  }
  if (i < length) kPortableKernels.reverse_complement(bases, length - i, out + i);
}

struct ThirtyTwoAtATime {
  ACESO_AVX2_INLINE static std::uint32_t all(const char* a, const char* b, std::uint32_t length) {
    std::uint32_t same = 0;
    for (std::uint32_t i = 0; i < length; i += 32) {
      const std::uint32_t left = length - i;
      const std::uint32_t wanted = left >= 32 ? ~0U : (1U << left) - 1;
      same += static_cast<std::uint32_t>(
          _mm_popcnt_u32(bits(_mm256_cmpeq_epi8(load(a + i), load(b + i))) & wanted));
    }
    return length - same;
  }
  ACESO_AVX2_INLINE static bool few(const char* a, const char* b, std::uint32_t length,
                                    std::uint32_t limit) {
    if (length >= 16) {
      // Unrelated reads differ in about 12 of 16 places: nearly all offsets end here.
      const __m128i first_a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
      const __m128i first_b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
      const int same = _mm_popcnt_u32(
          static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(first_a, first_b))));
      if (static_cast<std::uint32_t>(16 - same) > limit) return false;
    }
    return all(a, b, length) <= limit;
  }
};

ACESO_AVX2 Overlap find_overlap(const char* read, std::uint32_t read_length, const char* mate,
                                std::uint32_t mate_length, const OverlapRules& rules) {
  return search_overlap<ThirtyTwoAtATime>(read, read_length, mate, mate_length, rules);
}

}  // namespace

const Kernels kAvx2Kernels{
    .name = "avx2",
    .runs_here =
        [] {
          return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                 __builtin_cpu_supports("bmi2");
        },
    .find_newlines = find_newlines,
    .skip_lines = skip_lines,
    .read_facts = read_facts,
    .add_strip = add_strip,
    .reverse_complement = reverse_complement,
    .find_overlap = find_overlap,
};

}  // namespace aceso::genomics

#endif
