#include "aceso/molecules/similarity.hpp"

#include "aceso/core/threads.hpp"

#include <algorithm>
#include <mutex>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace aceso::molecules {
namespace {

/// Library molecules of one piece of work, and queries that share each of its reads.
constexpr std::size_t kChunk = 1 << 15, kQueries = 16;

int portable_common_bits(const BitFingerprint& a, const BitFingerprint& b) noexcept {
  int both = 0;
  for (std::size_t i = 0; i < a.size(); ++i) both += std::popcount(a[i] & b[i]);
  return both;
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vpopcntdq"))) int avx512_common_bits(
    const BitFingerprint& a, const BitFingerprint& b) noexcept {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < a.size(); i += 8)
    sum = _mm512_add_epi64(sum,
                           _mm512_popcnt_epi64(_mm512_and_si512(_mm512_loadu_si512(a.data() + i),
                                                                _mm512_loadu_si512(b.data() + i))));
  return static_cast<int>(_mm512_reduce_add_epi64(sum));
}
#endif

int bit_count(const BitFingerprint& bits) noexcept { return portable_common_bits(bits, bits); }

/// The better hit first; of equals the earlier one.
bool better(const Hit& a, const Hit& b) noexcept {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.index < b.index;
}

/// The best `k` hits of one query so far, the worst of them on top of a heap.
class Best {
 public:
  Best(std::size_t k, double threshold) : k_(k), threshold_(threshold) {}

  /// What a similarity must reach to be taken; equals may still lose by their index.
  [[nodiscard]] double bar() const noexcept {
    return hits_.size() < k_ ? threshold_ : std::max(threshold_, hits_.front().similarity);
  }
  void offer(const Hit& hit) {
    if (hit.similarity < threshold_ || k_ == 0) return;
    if (hits_.size() == k_) {
      if (!better(hit, hits_.front())) return;
      std::ranges::pop_heap(hits_, better);
      hits_.pop_back();
    }
    hits_.push_back(hit);
    std::ranges::push_heap(hits_, better);
  }
  [[nodiscard]] const std::vector<Hit>& hits() const noexcept { return hits_; }
  [[nodiscard]] std::vector<Hit> sorted() && {
    std::ranges::sort(hits_, better);
    return std::move(hits_);
  }

 private:
  std::size_t k_;
  double threshold_;
  std::vector<Hit> hits_;
};

class Searcher {
 public:
  Searcher(std::span<const BitFingerprint> library, std::span<const BitFingerprint> queries,
           std::size_t k, double threshold)
      : library_(library),
        queries_(queries),
        k_(k),
        threshold_(threshold),
        kernel_(best_bit_kernel()),
        best_(queries.size(), Best(k, threshold)) {
    for (const BitFingerprint& query : queries) query_bits_.push_back(bit_count(query));
  }

  /// Looks at chunk `piece % chunks` of the library for query block `piece / chunks`.
  void search(std::size_t piece) {
    const std::size_t first_query = piece / chunks() * kQueries;
    const std::size_t last_query = std::min(first_query + kQueries, queries_.size());
    const std::size_t begin = piece % chunks() * kChunk;
    const std::size_t end = std::min(begin + kChunk, library_.size());
    std::vector<Best> found(last_query - first_query, Best(k_, threshold_));
    for (std::size_t i = begin; i < end; ++i) {
      const int bits = bit_count(library_[i]);
      for (std::size_t q = first_query; q < last_query; ++q)
        compare(i, bits, q, found[q - first_query]);
    }
    const std::scoped_lock lock(mutex_);
    for (std::size_t q = first_query; q < last_query; ++q)
      for (const Hit& hit : found[q - first_query].hits()) best_[q].offer(hit);
  }

  [[nodiscard]] std::size_t chunks() const {
    return std::max<std::size_t>(1, (library_.size() + kChunk - 1) / kChunk);
  }
  [[nodiscard]] std::size_t pieces() const {
    return (queries_.size() + kQueries - 1) / kQueries * chunks();
  }
  [[nodiscard]] std::vector<std::vector<Hit>> results() && {
    std::vector<std::vector<Hit>> lists;
    for (Best& best : best_) lists.push_back(std::move(best).sorted());
    return lists;
  }

 private:
  void compare(std::size_t index, int bits, std::size_t query, Best& best) const {
    const auto [fewer, more] = std::minmax(bits, query_bits_[query]);
    // No pair with these counts can be more similar than this (Swamidass and Baldi 2007).
    if (static_cast<double>(fewer) < best.bar() * static_cast<double>(more)) return;
    const int both = common_bits(kernel_, library_[index], queries_[query]);
    const int either = bits + query_bits_[query] - both;
    best.offer({index, either > 0 ? static_cast<double>(both) / either : 0.0});
  }

  std::span<const BitFingerprint> library_, queries_;
  std::size_t k_;
  double threshold_;
  BitKernel kernel_;
  std::vector<int> query_bits_;
  std::vector<Best> best_;
  std::mutex mutex_;
};

}  // namespace

BitKernel best_bit_kernel() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq"))
    return BitKernel::Avx512;
#endif
  return BitKernel::Portable;
}

int common_bits(BitKernel kernel, const BitFingerprint& a, const BitFingerprint& b) noexcept {
#if defined(__x86_64__)
  if (kernel == BitKernel::Avx512) return avx512_common_bits(a, b);
#endif
  static_cast<void>(kernel);
  return portable_common_bits(a, b);
}

std::vector<std::vector<Hit>> most_similar(std::span<const BitFingerprint> library,
                                           std::span<const BitFingerprint> queries, std::size_t k,
                                           double threshold, unsigned threads,
                                           const std::stop_token& stop) {
  Searcher searcher(library, queries, k, threshold);
  parallel_for(
      searcher.pieces(), 1, threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t piece = begin; piece < end; ++piece) searcher.search(piece);
      },
      stop);
  return std::move(searcher).results();
}

}  // namespace aceso::molecules
